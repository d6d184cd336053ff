import { GIVEN } from '../given.js';

export default GIVEN.locale;
