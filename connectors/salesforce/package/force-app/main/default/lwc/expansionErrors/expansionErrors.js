/** What an error of Salesforce means for the user: { what, fix }, both sentences. */
import { ERRORS } from 'c/expansionLabels';

const FIXES = [
    [/INSUFFICIENT_ACCESS|INVALID_FIELD_FOR_INSERT_UPDATE|NO_ACCESS|FORBIDDEN/, ERRORS.fixes.access],
    [/CUSTOM_VALIDATION|REQUIRED_FIELD/, ERRORS.fixes.rule],
    [/RESTRICTED_PICKLIST/, ERRORS.fixes.picklist],
    [/ENTITY_IS_DELETED|NOT_FOUND/, ERRORS.fixes.gone],
    [/LOCK/, ERRORS.fixes.locked],
];

export function explain(error) {
    const body = error?.body;
    if (!body) {
        return isOffline(error) ? { ...ERRORS.offline } : told([{ message: error?.message }]);
    }
    const said = Array.isArray(body) ? body : inside(body.output);
    return told(said.length > 0 ? said : [body]);
}

/** Errors of the record and of its fields: what `updateRecord` wraps in one that says only "an error occurred". */
function inside(output) {
    return [...(output?.errors ?? []), ...Object.values(output?.fieldErrors ?? {}).flat()];
}

function told(errors) {
    const codes = errors.map((each) => each.errorCode ?? '').join(' ');
    const messages = errors.map((each) => each.message).filter((message) => message);
    const known = FIXES.find(([pattern]) => pattern.test(codes));
    return {
        what: [...new Set(messages)].map(sentence).join(' ') || ERRORS.unknown,
        fix: known ? known[1] : ERRORS.fixes.other,
    };
}

function isOffline(error) {
    return error instanceof TypeError || error?.status === 0 || error?.statusText === 'Failed to fetch';
}

function sentence(text) {
    return /[.!?…]$/.test(text) ? text : `${text}.`;
}
