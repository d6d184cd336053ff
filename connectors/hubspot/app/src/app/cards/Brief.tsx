import { Button, Divider, Flex, Heading, Text, useExtensionActions } from '@hubspot/ui-extensions';
import { useState } from 'react';

import { cell, type Company } from './company';

const FIRST_LINES = 4;

/** What to say: its beginning, all of it on demand, and a button that copies it. */
export function Brief({ company }: { company: Company }) {
  const { addAlert, copyTextToClipboard } = useExtensionActions<'crm.record.tab'>();
  const [open, setOpen] = useState(false);
  const brief = cell(company, 'brief');
  if (brief === null) return null;
  const all = paragraphs(brief);
  const first = beginning(all);
  const copy = () =>
    copyTextToClipboard(brief).then(
      () => addAlert({ type: 'success', message: 'The brief is on the clipboard.' }),
      () => addAlert({ type: 'danger', message: 'The browser did not let the brief be copied. Show all of it and select it.' }),
    );
  return (
    <>
      <Divider />
      <Flex direction="column" gap="xs">
        <Flex direction="row" justify="between" align="center" wrap>
          <Heading>Brief</Heading>
          <Button size="xs" variant="secondary" onClick={() => void copy()}>
            Copy brief
          </Button>
        </Flex>
        {(open ? all : first).map((lines, position) => (
          // the same paragraph may stand twice
          <Flex key={position} direction="column" gap="flush">
            {lines.map((line, place) => (
              <Text key={place} format={{ fontWeight: line.endsWith(':') ? 'demibold' : 'regular' }}>
                {line}
              </Text>
            ))}
          </Flex>
        ))}
        {first.length < all.length && (
          <Flex direction="row">
            <Button size="xs" variant="transparent" onClick={() => setOpen(!open)}>
              {open ? 'Show less' : 'Show all'}
            </Button>
          </Flex>
        )}
      </Flex>
    </>
  );
}

/** The lines of each paragraph; blank lines part them. */
function paragraphs(text: string): string[][] {
  const parts = text.replaceAll('\r', '').split(/\n\s*\n/);
  return parts
    .map((part) => part.split('\n').map((line) => line.trim()).filter((line) => line !== ''))
    .filter((lines) => lines.length > 0);
}

/** As many whole paragraphs as make some lines; at least one. */
function beginning(all: string[][]): string[][] {
  const first: string[][] = [];
  let lines = 0;
  for (const paragraph of all) {
    if (first.length > 0 && lines + paragraph.length > FIRST_LINES) break;
    first.push(paragraph);
    lines += paragraph.length;
  }
  return first;
}
