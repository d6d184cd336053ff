// Written by `python -m connectors.salesforce.panel_fields` from connectors/fields.toml: edit that.
// Names as text, not by @salesforce/schema: an import of a field that an org lacks, or that a person may not
// see, would keep the whole component from loading.

export const OBJECT = 'Account';

export const FIELDS = Object.freeze({
    score: 'Expansion_Score__c',
    tier: 'Expansion_Tier__c',
    change: 'Expansion_Change__c',
    why_moved: 'Expansion_Why_Moved__c',
    expected_arr: 'Expansion_Expected_ARR__c',
    arr_low: 'Expansion_ARR_Low__c',
    arr_high: 'Expansion_ARR_High__c',
    play: 'Expansion_Play__c',
    product: 'Expansion_Product__c',
    product_2: 'Expansion_Product_2__c',
    timing: 'Expansion_Timing__c',
    health: 'Expansion_Health__c',
    priority: 'Expansion_Priority__c',
    reason_1: 'Expansion_Reason_1__c',
    reason_2: 'Expansion_Reason_2__c',
    reason_3: 'Expansion_Reason_3__c',
    against_1: 'Expansion_Against_1__c',
    against_2: 'Expansion_Against_2__c',
    like_this: 'Expansion_Accounts_Like_This__c',
    next_milestone: 'Expansion_Next_Milestone__c',
    whom_to_reach: 'Expansion_Whom_To_Reach__c',
    brief: 'Expansion_Brief__c',
    scored_at: 'Expansion_Scored_At__c',
    data_as_of: 'Expansion_Data_As_Of__c',
    model_version: 'Expansion_Model_Version__c',
    status: 'Expansion_Status__c',
    not_before: 'Expansion_Not_Before__c',
    csm_call: 'Expansion_CSM_Call__c',
    opt_out: 'Expansion_Opt_Out__c',
    feedback: 'Expansion_Feedback__c',
});

export const OPTIONS = Object.freeze({
    tier: {
        very_high: 'Very high',
        high: 'High',
        medium: 'Medium',
        low: 'Low',
        not_enough_data: 'Not enough data',
    },
    play: {
        expand: 'Expand',
        prepare: 'Prepare',
        nurture: 'Nurture',
        retain: 'Retain first',
        none: 'None',
    },
    timing: {
        now: 'Now',
        d30: '30 days',
        d90: '90 days',
        hold: 'Hold',
    },
    health: {
        green: 'Green',
        yellow: 'Yellow',
        red: 'Red',
        unknown: 'Unknown',
    },
    status: {
        open: 'Open',
        in_talks: 'Already in talks',
        not_now: 'Not now',
        done: 'Done',
    },
    csm_call: {
        agree: 'Agree',
        higher: 'Should be higher',
        lower: 'Should be lower',
    },
    feedback: {
        useful: 'Useful',
        not_useful: 'Not useful',
        in_talks: 'Already in talks',
        not_now: 'Not now',
        wrong_data: 'Wrong data',
    },
});

export const PERMISSION_SETS = Object.freeze({
    scores: 'Upswell Read Scores',
    reasons: 'Upswell Read Reasons',
    forecast: 'Upswell Read Amounts',
    feedback: 'Upswell Give Feedback',
});
