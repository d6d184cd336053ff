import { DescriptionList, DescriptionListItem, Text } from '@hubspot/ui-extensions';

import { cell, choice, type Company } from './company';

type Lines = readonly (readonly [label: string, text: string | null])[];

/** What to talk about, and when. */
export function Offer({ company }: { company: Company }) {
  return (
    <Described
      lines={[
        ['Play', choice(company, 'play')],
        ['Product', cell(company, 'product')],
        ['Second product', cell(company, 'product_2')],
        ['Timing', choice(company, 'timing')],
      ]}
    />
  );
}

/** What became of others, what to reach next, and through whom. */
export function Way({ company }: { company: Company }) {
  return (
    <Described
      lines={[
        ['Accounts like this', cell(company, 'like_this')],
        ['Next milestone', cell(company, 'next_milestone')],
        ['Whom to reach', cell(company, 'whom_to_reach')],
      ]}
    />
  );
}

/** What is known, each beside its name; nothing where nothing is. */
function Described({ lines }: { lines: Lines }) {
  const known = lines.filter(([, text]) => text !== null);
  if (known.length === 0) return null;
  return (
    <DescriptionList direction="row">
      {known.map(([label, text]) => (
        <DescriptionListItem key={label} label={label}>
          <Text>{text}</Text>
        </DescriptionListItem>
      ))}
    </DescriptionList>
  );
}
