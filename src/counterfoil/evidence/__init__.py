"""Things and bytes that may prove something, and statements; who held them, who looked, what was made of them."""
