"""The line from a photo to a face, in a browser: `l2rkit app`.

`choices.py` is what there is to choose from, `look.py` what is done with a photo, `page.py` how it
is shown, `serving.py` to whom. Only the last two need gradio; nothing here knows 3D.
"""
