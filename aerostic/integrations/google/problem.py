"""What all of Google's services have in common where they give no answer."""

from aerostic.core.errors import Unavailable


class Problem(Unavailable):
    """No answer that can be used, and why. `may_pass`: nothing was done, and the same may work later."""

    may_pass = False
