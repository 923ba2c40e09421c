"""What the page's server says itself, for people; to translate it, translate this file.

The words of the page are in static/words.js. What reading a file or restoring says comes from the
library, as on the command line.
"""

# Of requests.
NOTHING_HERE = "There is nothing at this address."
NOTHING_YET = "There is nothing at this address yet."
OPEN_WHOLE = "Open the whole address that noise2x page printed; it changes with every start."
OTHER_NAME = "The page does not answer under this name."
OTHER_ORIGIN = "Only the page itself may change something."
NO_LENGTH = "The length of the request is missing."
TOO_LONG = "This request is too long."
UNCLEAR = "This request can't be understood."
DID_NOT_WORK = "This did not work."
WENT_WRONG = "This went wrong here; the terminal says more."
NOT_THIS_SCREEN = "The page is not on this machine's screen."
NO_OPENER = "No program here shows folders; it is {folder}"

# Of pictures and results.
NO_SIZE = "The size of the picture is missing."
TOO_LARGE = "This file has {size:.0f} MB; the page takes {limit:.0f}."
NO_PICTURE = "There is no such picture here; it was removed."
NO_RESULT = "There is no such result here."
NOT_FINISHED = "This result is not finished."
NOT_A_PICTURE = "{name}: {suffix} is not the name of a picture."
OTHER_AXES = "{name}: its axes {axes} are no picture."
NO_SUFFIX = "a name without an ending"
NO_PAGE = "There is no page {page}."
NO_VIEW = "There is no such view."
NO_STD = "This model does not predict its uncertainty."
CLOSING = "The page is being closed."

# Of wishes.
NO_MODEL = "There is no such model here."
OTHER_CHANNELS = "{model} restores pictures of {wanted} channels; {name} has {channels}."
THIS_MODEL = "This model"
STRENGTH = "The strength goes from 0 to 1.5."
LEVEL = "The level of the noise is a number above 0."

# Of trainings.
NO_TRAINING = "There is no such training for this picture."
TRAINING_ALREADY = "{name} is being trained on; stop that first."
NO_SAMPLE = "There is no picture of this training yet."
