WORDS.cy = {};
