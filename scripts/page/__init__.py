"""`noise2x page`: a local web page that restores pictures."""
