/** Mounts the panel, or the home page's list, into the page that names an account's fields. */
import '@lwc/synthetic-shadow';
import './clock.js';
import { createElement } from 'lwc';
import ExpansionList from 'c/expansionList';
import ExpansionPanel from 'c/expansionPanel';
import { GIVEN } from './given.js';
import { addPageStyle } from './page.js';

addPageStyle();
const place = document.getElementById('panel');
if (GIVEN.place === 'home') {
    place.appendChild(createElement('c-expansion-list', { is: ExpansionList }));
} else {
    const panel = createElement('c-expansion-panel', { is: ExpansionPanel });
    panel.recordId = GIVEN.record.id;
    place.appendChild(panel);
}
// wires answer in a microtask, and what they answer is rendered in another one
setTimeout(() => {
    document.documentElement.dataset.ready = 'true';
});
