import { Flex, Statistics, StatisticsItem, StatisticsTrend, StatusTag, Tag, Text } from '@hubspot/ui-extensions';

import { amount, cell, choice, type Company, numberIn, readable } from './company';
import { moved } from './wording';

const TIERS = { very_high: 'success', high: 'success', medium: 'info', low: 'default' } as const;
const HEALTH = { green: 'success', yellow: 'warning', red: 'danger', unknown: 'default' } as const;

/** How likely, how much, and whether the account is well: the first glance. */
export function Head({ company }: { company: Company }) {
  const points = numberIn(company, 'change');
  const trend = moved(points);
  const why = cell(company, 'why_moved');
  const expected = amount(company, 'expected_arr');
  return (
    <Flex direction="column" gap="xs">
      <Flex direction="row" gap="sm" align="center" wrap>
        <Tier company={company} />
        <Health company={company} />
      </Flex>
      <Statistics>
        <StatisticsItem label="Score, of 100" number={numberIn(company, 'score') ?? ''}>
          {trend !== null && (
            <StatisticsTrend direction={points !== null && points < 0 ? 'decrease' : 'increase'} value={trend} />
          )}
        </StatisticsItem>
        {expected !== null && <StatisticsItem label="Expected ARR a year" number={expected} />}
      </Statistics>
      <Range company={company} />
      {why !== null && <Text variant="microcopy">Why it moved: {why}</Text>}
    </Flex>
  );
}

/** The tier by name and colour. */
function Tier({ company }: { company: Company }) {
  const tier = cell(company, 'tier');
  if (tier === null) return null;
  return <Tag variant={TIERS[tier as keyof typeof TIERS] ?? 'default'}>{choice(company, 'tier')}</Tag>;
}

/** Whether the account is well, by word and colour. */
export function Health({ company }: { company: Company }) {
  const health = cell(company, 'health');
  if (health === null) return null;
  return (
    <StatusTag variant={HEALTH[health as keyof typeof HEALTH] ?? 'default'}>
      Health: {choice(company, 'health')}
    </StatusTag>
  );
}

/** What an expansion would add, or why it is not shown. */
function Range({ company }: { company: Company }) {
  if (!readable(company, 'expected_arr')) {
    return <Text variant="microcopy">ARR is not shared with you: it takes view access to the Read Amounts properties.</Text>;
  }
  const [low, high] = [amount(company, 'arr_low'), amount(company, 'arr_high')];
  if (low === null || high === null) return null;
  return (
    <Text variant="microcopy">
      If it expands, {low} to {high} a year
    </Text>
  );
}
