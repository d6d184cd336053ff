/** Sets the components' clock to the day that the page names, so that nothing turns stale by being looked at later. */
import { GIVEN } from './given.js';

if (GIVEN.today) {
    const noon = Date.parse(`${GIVEN.today}T12:00:00Z`);
    Date.now = () => noon;
}
