import { Alert, Button, Flex, Heading, StatusTag, Text, useExtensionActions } from '@hubspot/ui-extensions';
import { useState } from 'react';

import { cell, type Company, momentIn, readable } from './company';
import { FIELDS } from './fields';
import { NotNow } from './NotNow';
import { day } from './wording';
import { type Answer, type Outcome, write } from './writing';

type Said = keyof typeof FIELDS.feedback.options;
type Call = keyof typeof FIELDS.csm_call.options;

interface Props {
  readonly id: number;
  readonly company: Company;
  readonly scored: boolean;
  readonly now: Date;
  readonly locale: string;
  readonly saved: () => void;
}

/** What the CSM thinks of the score, written to the record at the press of a button. */
export function Feedback({ id, company, scored, now, locale, saved }: Props) {
  const { addAlert, refreshObjectProperties } = useExtensionActions<'crm.record.tab'>();
  const [outcome, setOutcome] = useState<Outcome | 'saving' | null>(null);
  const [asking, setAsking] = useState(false);
  if (!readable(company, 'feedback')) {
    return (
      <Text variant="microcopy">
        To say what you think of the score, ask your admin for edit access to the Give Feedback properties.
      </Text>
    );
  }
  const barred = outcome !== null && outcome !== 'saving' && !outcome.saved && outcome.barred === true;
  const disabled = outcome === 'saving' || barred;
  const send = async (answer: Answer) => {
    setOutcome('saving');
    const came = await write(id, answer);
    setOutcome(came);
    addAlert(came.saved ? { type: 'success', message: 'Saved' } : { type: 'danger', title: 'Not saved', message: came.text });
    if (!came.saved) return;
    setAsking(false);
    refreshObjectProperties();
    saved();
  };
  const say = (feedback: Said) => {
    if (feedback === 'not_now') return setAsking(true);
    return void send(feedback === 'in_talks' ? { feedback, status: 'in_talks' } : { feedback });
  };
  const [said, call] = [cell(company, 'feedback'), cell(company, 'csm_call')];
  const until = momentIn(company, 'not_before');
  const names = { ...FIELDS.feedback.options, not_now: `Not now until ${said === 'not_now' && until ? day(until, locale) : '…'}` };
  return (
    <Flex direction="column" gap="xs">
      <Flex direction="row" gap="sm" align="center">
        <Heading>{scored ? 'What do you think?' : 'What do you know of it?'}</Heading>
        {outcome === 'saving' && <Text variant="microcopy">Saving…</Text>}
        {outcome !== null && outcome !== 'saving' && outcome.saved && <StatusTag variant="success">Saved</StatusTag>}
      </Flex>
      <Choices options={scored ? names : withoutScore(names)} pressed={said} disabled={disabled} press={say} />
      {asking && (
        <NotNow
          now={now}
          cancel={() => setAsking(false)}
          save={(not_before) => void send({ feedback: 'not_now', status: 'not_now', not_before })}
        />
      )}
      {scored && readable(company, 'csm_call') && (
        <Flex direction="row" gap="xs" align="center" wrap>
          <Text variant="microcopy">The score:</Text>
          <Choices
            options={FIELDS.csm_call.options}
            pressed={call}
            disabled={disabled}
            press={(csm_call: Call) => void send({ csm_call })}
          />
        </Flex>
      )}
      {outcome !== null && outcome !== 'saving' && !outcome.saved && (
        <Alert title="Not saved" variant="danger">
          {outcome.text}
        </Alert>
      )}
    </Flex>
  );
}

interface ChoicesProps<Value extends string> {
  readonly options: Readonly<Partial<Record<Value, string>>>;
  readonly pressed: string | null;
  readonly disabled: boolean;
  readonly press: (value: Value) => void;
}

/** One button an option; the one that the record holds is filled and has a check mark. */
/** What can be said of a company before it has a score: nothing that speaks of one. */
function withoutScore<Names extends Readonly<Record<Said, string>>>({ in_talks, not_now, wrong_data }: Names) {
  return { in_talks, not_now, wrong_data };
}

function Choices<Value extends string>({ options, pressed, disabled, press }: ChoicesProps<Value>) {
  return (
    <Flex direction="row" gap="xs" wrap>
      {(Object.entries(options) as [Value, string][]).map(([value, label]) => (
        <Button
          key={value}
          size="xs"
          variant={value === pressed ? 'primary' : 'secondary'}
          disabled={disabled}
          onClick={() => press(value)}
        >
          {value === pressed ? `✓ ${label}` : label}
        </Button>
      ))}
    </Flex>
  );
}
