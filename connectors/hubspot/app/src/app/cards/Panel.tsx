import {
  Accordion,
  Alert,
  Button,
  Divider,
  EmptyState,
  ErrorState,
  Flex,
  LoadingSpinner,
  Text,
  useExtensionContext,
} from '@hubspot/ui-extensions';
import { CrmPropertyList, useCrmProperties } from '@hubspot/ui-extensions/crm';
import type { ReactNode } from 'react';

import { Brief } from './Brief';
import { type Company, momentIn, readable } from './company';
import { Feedback } from './Feedback';
import { FIELDS } from './fields';
import { Footer } from './Footer';
import { Head, Health } from './Head';
import { Offer, Way } from './Offer';
import { Reasons } from './Reasons';
import { staleDays, standing } from './standing';
import { day, language } from './wording';

const NAMES = Object.values(FIELDS).map((field) => field.name);
const AMOUNTS = [FIELDS.expected_arr.name, FIELDS.arr_low.name, FIELDS.arr_high.name];
const CHOICES = [FIELDS.tier.name, FIELDS.play.name, FIELDS.timing.name, FIELDS.health.name];
const SHOWN = [...AMOUNTS, ...CHOICES];
const OURS_TO_FILL = [FIELDS.status, FIELDS.not_before, FIELDS.csm_call, FIELDS.opt_out, FIELDS.feedback].map(
  (field) => field.name,
);

/** Where the card stands: in a tab of the record's middle, or in its sidebar, where HubSpot lets nothing be edited in place. */
export type Place = 'tab' | 'sidebar';

/** Everything that a CSM has to know of this company's expansion, from its own properties. */
export function Panel({ place }: { place: Place }) {
  const { crm, user, portal } = useExtensionContext<'crm.record.tab'>();
  const kept = useCrmProperties(NAMES);
  const shown = useCrmProperties(SHOWN, { propertiesToFormat: SHOWN, formattingOptions: { currency: { addSymbol: true } } });
  if (kept.isLoading || shown.isLoading) return <LoadingSpinner label="Loading the expansion score" showLabel />;
  if (kept.error) return <Unread again={() => void kept.refetch()} />;
  const company = { kept: kept.properties, shown: shown.properties };
  const locale = language(user.locale);
  const now = new Date();
  const answer = (
    <Feedback
      id={crm.objectId}
      company={company}
      scored={standing(company) === 'scored'}
      now={now}
      locale={locale}
      saved={() => void Promise.all([kept.refetch(), shown.refetch()])}
    />
  );
  const footer = <Footer company={company} locale={locale} zone={portal.timezone} />;
  switch (standing(company)) {
    case 'hidden':
      return (
        <ErrorState type="lock" title="You don't have access to expansion scores">
          <Text>Ask your admin for view access to the Read Scores properties of Upswell.</Text>
        </ErrorState>
      );
    case 'optedOut':
      return (
        <Flex direction="column" gap="sm">
          <Alert title="Opted out" variant="info">
            Upswell writes no scores and makes no tasks for this company, because its property{' '}
            {FIELDS.opt_out.label} says Yes. Set it to No to have it scored again.
          </Alert>
          {place === 'tab' && <CrmPropertyList properties={[FIELDS.opt_out.name]} direction="row" />}
        </Flex>
      );
    case 'unscored':
      return (
        <Flex direction="column" gap="sm">
          <EmptyState title="Not scored yet" layout="vertical" imageName="companies" flush>
            <Text>Upswell writes a score after its next run. If none comes, ask RevOps whether this company is eligible.</Text>
          </EmptyState>
          {answer}
        </Flex>
      );
    case 'littleData':
      return (
        <Flex direction="column" gap="sm">
          <Alert title="Not enough data" variant="info">
            Too few signals of this company are known to score it: there is no number, rather than a guess. It is
            scored once usage, billing or contacts of it arrive.
          </Alert>
          <Health company={company} />
          {answer}
          {footer}
        </Flex>
      );
    case 'scored':
      return (
        <Flex direction="column" gap="md">
          <Stale company={company} now={now} locale={locale} />
          <Body place={place} company={company} answer={answer} />
          {footer}
        </Flex>
      );
  }
}

/** The whole story: what, then why, then what to say, then what you think. */
function Body({ place, company, answer }: { place: Place; company: Company; answer: ReactNode }) {
  return (
    <>
      <Head company={company} />
      <Offer company={company} />
      <Divider />
      <Reasons company={company} />
      <Way company={company} />
      <Brief company={company} />
      <Divider />
      {answer}
      {place === 'tab' && readable(company, 'feedback') && (
        <Accordion title="Edit these properties one by one" size="xs">
          <CrmPropertyList properties={OURS_TO_FILL} direction="row" />
        </Accordion>
      )}
    </>
  );
}

/** A warning when nothing newer has come for a while. */
function Stale({ company, now, locale }: { company: Company; now: Date; locale: string }) {
  const [days, asOf] = [staleDays(company, now), momentIn(company, 'data_as_of')];
  if (days === null || asOf === null) return null;
  return (
    <Alert title={`This is ${days} days old`} variant="warning">
      Nothing newer than {day(asOf, locale)} is in these figures. Ask your admin whether Upswell still runs.
    </Alert>
  );
}

/** The properties could not be read: what happened, and another try. */
function Unread({ again }: { again: () => void }) {
  return (
    <ErrorState title="This company's properties could not be loaded">
      <Text>Check your connection, then try again.</Text>
      <Button size="sm" variant="secondary" onClick={again}>
        Try again
      </Button>
    </ErrorState>
  );
}
