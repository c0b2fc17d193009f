"""What we told someone and whether it reached them: a transactional outbox."""
