/** Every text of the panel and of the list, in one place. */
import { PERMISSION_SETS } from 'c/expansionFields';

/** What a play asks for, in one line. */
export const PLAY_HINTS = Object.freeze({
    expand: 'Have the conversation.',
    prepare: 'Line up people and proof.',
    nurture: 'Help first; name no price.',
    retain: 'No price ask until health recovers.',
    none: 'Nothing to do now.',
});

/** When to talk, in full; an admin's own words for it go first. */
export const TIMINGS = Object.freeze({
    now: 'Now',
    d30: 'Within 30 days',
    d90: 'Within 90 days',
    hold: 'Hold',
});

/** What feedback is asked for, in the order of the buttons. */
export const FEEDBACK = Object.freeze({
    useful: 'Useful',
    not_useful: 'Not useful',
    in_talks: 'Already in talks',
    not_now: 'Not now until …',
    wrong_data: 'Wrong data',
});

export const CALLS = Object.freeze({ agree: 'Agree', higher: 'Should be higher', lower: 'Should be lower' });

export const PANEL = Object.freeze({
    title: 'Expansion',
    loading: 'Loading the expansion score',
    retry: 'Try again',
    optedOut: {
        title: 'Opted out of scoring',
        text: 'Upswell writes no scores and makes no tasks for this account while its Expansion Opt-Out is ticked.',
    },
    noAccess: {
        title: "You don't have access to expansion scores",
        text: `Ask your admin for the permission set ${PERMISSION_SETS.scores}.`,
    },
    notScored: {
        title: 'Not scored yet',
        text: 'Upswell writes a score after its next run. If none comes, ask RevOps whether this account is eligible.',
    },
    notEnoughData: {
        title: 'Not enough data',
        text: 'Too few signals of this account are known to tell it from others, so there is no score to rely on. It gets one as soon as usage, contacts and contract are known.',
    },
    notLoaded: "The account couldn't be loaded",
    stale: (day, days) => ({
        title: `Data as of ${day}`,
        text: `That is ${days} days ago, so what you see may have changed. Ask RevOps whether the sync still runs.`,
    }),
});

export const SCORE = Object.freeze({
    outOf: 'of 100',
    spoken: (points) => `Score ${points} of 100`,
    since: (change) => `${change} since the last scoring`,
    unmoved: 'No change since the last scoring',
    expected: 'Expected ARR',
    range: (low, high) => `${low} to ${high} if it expands`,
    noAccess: `Amounts are shown with the permission set ${PERMISSION_SETS.forecast}.`,
});

export const FACTS = Object.freeze({
    play: 'Play',
    product: 'Product',
    second: (product) => `then ${product}`,
    timing: 'Timing',
    health: 'Health',
    unknown: '–',
    likeThis: 'Accounts like this',
    milestone: 'Next milestone',
    reach: 'Whom to reach',
});

export const REASONS = Object.freeze({
    reasonsFor: 'Why',
    against: 'What speaks against it',
    none: 'No reasons were written for this score.',
    noAccess: `Reasons, contacts and the brief are shown with the permission set ${PERMISSION_SETS.reasons}.`,
});

export const BRIEF = Object.freeze({
    title: 'Brief',
    copy: 'Copy',
    copied: 'Copied',
    notCopied: 'Your browser let nothing be copied. Select the text and copy it by hand.',
    more: 'Show all',
    less: 'Show less',
});

export const ANSWERS = Object.freeze({
    title: 'Your feedback',
    callTitle: 'Your call on the score',
    notNowUntil: (day) => `Not now until ${day}`,
    until: 'No task before',
    save: 'Save',
    cancel: 'Cancel',
    takeBack: 'Take back',
    saving: 'Saving …',
    saved: 'Saved',
    takenBack: 'Taken back',
    noDate: 'Choose a day after today.',
    noAccess: `To give feedback, ask your admin for the permission set ${PERMISSION_SETS.feedback}.`,
    given: (label) => `Feedback: ${label}`,
    called: (label) => `CSM's call: ${label}`,
    status: (label) => `Status: ${label}`,
});

export const FOOTER = Object.freeze({
    dataAsOf: (day) => `Data as of ${day}`,
    scoredAt: (moment) => `scored ${moment}`,
    model: (version) => `model ${version}`,
});

export const LIST = Object.freeze({
    title: 'My accounts to expand',
    loading: 'Loading your accounts to expand',
    viewAll: 'View all',
    columns: {
        account: 'Account',
        score: 'Score',
        change: 'Change',
        arr: 'Expected ARR',
        product: 'Product',
        timing: 'Timing',
        health: 'Health',
    },
    empty: {
        title: 'Nothing to expand right now',
        text: 'No account of yours is ready. The list fills after the next scoring run.',
    },
    notLoaded: "The list couldn't be loaded",
});

export const ERRORS = Object.freeze({
    offline: {
        what: "Salesforce couldn't be reached.",
        fix: 'Check your connection, then try again.',
    },
    unknown: 'Salesforce gave no reason.',
    fixes: {
        access: 'Ask the account owner or your admin for the right to edit this account.',
        rule: 'A rule of your company asks for it. Set that right on the record, then try again.',
        picklist: 'Ask your admin to run upswell install: the field lacks this value.',
        gone: 'Reload the page: the account was deleted or merged.',
        locked: 'The account is locked, perhaps by an approval. Try again when it is free.',
        view: 'Ask your admin whether the list view is installed and shared with you.',
        other: 'Try again. If that is all you get, send these words to your admin.',
    },
});
