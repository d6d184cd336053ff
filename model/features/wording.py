"""What ticket and note text is searched for: stated keyword rules and a small sentiment lexicon.

Everything is matched in lower case as a regular expression. A rule is a plain list so that a team can
read it, and a reason can say which topic was found.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

# What people do for want of something, and what they ask for: both point to what the plan does not contain.
WORKAROUND = r"workaround|work around|by hand|manual|spreadsheet|csv|another tool|rebuild"
REQUEST = (
    r"feature request|is there a way|is it possible|we would like|would love|missing|not included"
    r"|not available|does your|do you offer|can we get|need a way|no way to"
)

TOPICS: Final = MappingProxyType(
    {
        "analytics": r"report|dashboard|analytic|chart|csv|export|figures|metric|forecast|insight|trend",
        "automation": r"automat|workflow|by hand|manual|recurring|rule|trigger|repeat|reminder",
        "audit": r"audit|complian|security|permission|evidence|sso|single sign|scim|retention|gdpr|iso 27001",
        "integration": r"integrat|connector|webhook|\bapi\b|sync",
        "support": r"response time|waiting|faster|urgent|dedicated|premium support|sla\b|phone support",
        "training": r"training|onboard|workshop|adoption|how do i|how do we|best practice|programme|program",
    }
)
"""Topics of a gap; a product belongs to a topic when its name or id matches the topic's expression."""

NEGATIVE = (
    r"unhappy|frustrat|disappoint|slow|broken|fail|error|outage|difficult|unaccept|angry|blocked|cannot"
    r"|can't|does not work|not working|poor|worse|question the value|cancel|churn|complain|lost"
)
POSITIVE = (
    r"great|thank|love|pleased|happy|excellent|helpful|good|works well|ahead of plan|positive|strong|success"
    r"|impressed|smooth"
)
GROWTH_GOAL = (
    r"roll ?out|expand|on ?board|double|grow|scale|more (teams|users|sites)|new (office|team|site)|every site"
)
