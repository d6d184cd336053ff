import { AutoGrid, Flex, Heading, List, Text } from '@hubspot/ui-extensions';

import { cell, type Company, readable } from './company';
import type { Key } from './fields';

const FOR: readonly Key[] = ['reason_1', 'reason_2', 'reason_3'];
const AGAINST: readonly Key[] = ['against_1', 'against_2'];

/** Three reasons for and two against, side by side where there is room; each bears its number, day and source. */
export function Reasons({ company }: { company: Company }) {
  if (!readable(company, 'reason_1')) {
    return (
      <Text variant="microcopy">
        The reasons are not shared with you: they take view access to the Read Reasons properties.
      </Text>
    );
  }
  return (
    <AutoGrid columnWidth={280} flexible gap="md">
      <Side title="For" company={company} keys={FOR} />
      <Side title="Against" company={company} keys={AGAINST} />
    </AutoGrid>
  );
}

function Side({ title, company, keys }: { title: string; company: Company; keys: readonly Key[] }) {
  const sentences = keys.map((key) => cell(company, key)).filter((text) => text !== null);
  if (sentences.length === 0) return null;
  return (
    <Flex direction="column" gap="flush">
      <Heading>{title}</Heading>
      <List variant="unordered-styled">
        {sentences.map((text) => (
          <Text key={text}>{text}</Text>
        ))}
      </List>
    </Flex>
  );
}
