"""Forces, areas and queues, who is posted where: all bounded in time, because forces merge and patches move."""
