import { AutoGrid, DescriptionList, DescriptionListItem, Divider, Flex, Text } from '@hubspot/ui-extensions';

import { cell, choice, type Company } from './company';

type Lines = readonly (readonly [label: string, text: string | null])[];

const known = (lines: Lines): Lines => lines.filter(([, text]) => text !== null);

/** What to talk about, and when: side by side, as many as there is room for. */
export function Offer({ company }: { company: Company }) {
  const lines = known([
    ['Play', choice(company, 'play')],
    ['Product', cell(company, 'product')],
    ['Second product', cell(company, 'product_2')],
    ['Timing', choice(company, 'timing')],
  ]);
  if (lines.length === 0) return null;
  return (
    <AutoGrid columnWidth={140} flexible gap="sm">
      {lines.map(([label, text]) => (
        <Flex key={label} direction="column" gap="flush">
          <Text variant="microcopy">{label}</Text>
          <Text format={{ fontWeight: 'demibold' }}>{text}</Text>
        </Flex>
      ))}
    </AutoGrid>
  );
}

/** What became of others, what to reach next, and through whom. */
export function Way({ company }: { company: Company }) {
  const lines = known([
    ['Accounts like this', cell(company, 'like_this')],
    ['Next milestone', cell(company, 'next_milestone')],
    ['Whom to reach', cell(company, 'whom_to_reach')],
  ]);
  if (lines.length === 0) return null;
  return (
    <>
      <Divider />
      <DescriptionList direction="column">
        {lines.map(([label, text]) => (
          <DescriptionListItem key={label} label={label}>
            <Text>{text}</Text>
          </DescriptionListItem>
        ))}
      </DescriptionList>
    </>
  );
}
