"""`python -m include.delivery DATE RECIPIENT arrived|lost`; see `include.delivery.ledger`."""

import sys

from include.delivery.ledger import main

sys.exit(main())
