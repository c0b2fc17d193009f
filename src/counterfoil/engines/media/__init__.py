"""Look into recordings, pictures and documents, and make copies that say exactly how they were made.

Every task is a function `f(inputs, out, options) -> dict`, run in the sandbox on the sealed master: it reads
`inputs["file"]`, writes into the folder `out` and answers with plain values. None of them changes a master.

    probe:probe        what a file is: streams, codecs, exact times, EXIF, C2PA
    proxy:proxy        a copy that browsers play: the same packets in an MP4 when they can be played, else transcoded
    pictures:poster    one picture of a recording, picture or document; pictures:thumbs a sheet of them
    pictures:still     one frame, by number or time, as PNG; pictures:safe a picture without its metadata
    sound:waveform     a picture of the sound
    clip:clip          from one frame to another: the same packets with stated handles, or an exact re-encode
    pages:page         one page of a PDF as a picture

The answer of a task that makes something names its file, and how it was made:

>>> from counterfoil.engines.media.answer import made
>>> answer = made("still.png", "image/png", "png", facts={"frame": 12})
>>> answer["file"], answer["facts"]["frame"], answer["tool"]
('still.png', 12, 'counterfoil.engines.media')
"""
