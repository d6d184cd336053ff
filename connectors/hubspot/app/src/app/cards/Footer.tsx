import { Text } from '@hubspot/ui-extensions';

import { cell, type Company, momentIn } from './company';
import { day, moment } from './wording';

/** How fresh all of it is, and which model said it. */
export function Footer({ company, locale, zone }: { company: Company; locale: string; zone: string }) {
  const [asOf, scored] = [momentIn(company, 'data_as_of'), momentIn(company, 'scored_at')];
  const model = cell(company, 'model_version');
  const parts = [
    asOf && `Data as of ${day(asOf, locale)}`,
    scored && `scored ${moment(scored, locale, zone)}`,
    model && `model ${model}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : <Text variant="microcopy">{parts.join(' · ')}</Text>;
}
