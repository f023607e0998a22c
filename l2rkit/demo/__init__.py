"""The browser page of `l2rkit app`: from a photo to a face.

`choices.py` lists methods, restorers and samples; `look.py` processes a photo; `page.py` is the
page; `serving.py` serves it, through the checks of `middleware.py`. Only `page.py` and `serving.py`
need gradio.
"""
