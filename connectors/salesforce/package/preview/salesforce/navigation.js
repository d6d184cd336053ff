/** `lightning/navigation`: links that lead nowhere but to a fragment of the page. */
const Navigate = Symbol('Navigate');
const GenerateUrl = Symbol('GenerateUrl');

export const NavigationMixin = (Base) =>
    class extends Base {
        [Navigate]() {}

        [GenerateUrl]({ attributes }) {
            return Promise.resolve(`#${attributes.recordId ?? attributes.actionName}`);
        }
    };
NavigationMixin.Navigate = Navigate;
NavigationMixin.GenerateUrl = GenerateUrl;
