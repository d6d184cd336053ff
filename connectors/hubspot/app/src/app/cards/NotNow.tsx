import { Button, DateInput, Flex, type DateInputProps } from '@hubspot/ui-extensions';
import { useState } from 'react';

type Day = NonNullable<DateInputProps['value']>;

/** Until when to leave the account alone: a day after today, then Save. */
export function NotNow({ now, save, cancel }: { now: Date; save: (day: string) => void; cancel: () => void }) {
  const [day, setDay] = useState<Day | null>(null);
  const tomorrow = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  const min = { year: tomorrow.getFullYear(), month: tomorrow.getMonth(), date: tomorrow.getDate() };
  const early = day !== null && iso(day) < iso(min);
  const done = () => {
    if (day !== null) save(iso(day));
  };
  return (
    <Flex direction="column" gap="xs">
      <DateInput
        label="Not now until"
        name="not_before"
        description="Upswell makes no task before this day."
        required
        min={min}
        minValidationMessage="Choose a day after today."
        error={early}
        validationMessage={early ? 'Choose a day after today.' : undefined}
        value={day ?? undefined}
        onChange={(value) => setDay(value ?? null)}
      />
      <Flex direction="row" gap="xs">
        <Button size="xs" variant="primary" disabled={day === null || early} onClick={done}>
          Save
        </Button>
        <Button size="xs" variant="transparent" onClick={cancel}>
          Cancel
        </Button>
      </Flex>
    </Flex>
  );
}

/** HubSpot counts months from 0. */
const iso = ({ year, month, date }: Day): string =>
  `${String(year).padStart(4, '0')}-${String(month + 1).padStart(2, '0')}-${String(date).padStart(2, '0')}`;
