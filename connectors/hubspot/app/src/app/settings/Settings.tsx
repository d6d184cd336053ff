import {
  Alert,
  ErrorState,
  DescriptionList,
  DescriptionListItem,
  Flex,
  Heading,
  Link,
  LoadingSpinner,
  Table,
  TableBody,
  TableCell,
  TableHead,
  TableHeader,
  TableRow,
  Text,
  hubspot,
  useCrmSearch,
  useExtensionContext,
} from '@hubspot/ui-extensions';

import { ACCESS, FIELDS, type Key } from './fields';

const NAMES = Object.values(FIELDS).map((field) => field.name);
const DATES = [FIELDS.scored_at.name, FIELDS.data_as_of.name];

/** Whether Upswell is installed and runs, and who should see which of its properties. */
export function Settings() {
  const { portal } = useExtensionContext<'settings'>();
  // the company that was scored last knows when that was, and bears every property that this user may read
  const newest = useCrmSearch(
    {
      objectType: 'companies',
      properties: NAMES,
      filterGroups: [{ filters: [{ propertyName: FIELDS.scored_at.name, operator: 'HAS_PROPERTY' }] }],
      sorts: [{ propertyName: FIELDS.scored_at.name, direction: 'DESCENDING' }],
      pageLength: 1,
    },
    { propertiesToFormat: DATES },
  );
  return (
    <Flex direction="column" gap="lg">
      <Status newest={newest} />
      <Permissions portal={portal.id} />
      <Flex direction="column" gap="xs">
        <Heading>Where the rest is set</Heading>
        <Text>
          Upswell is a program of your own that writes these properties by HubSpot's API. Its settings are in its
          file upswell.toml, and its guide to this app is docs/hubspot-app.md; both are with whoever runs it.
        </Text>
      </Flex>
    </Flex>
  );
}

/** The last run, in what it left in HubSpot. */
function Status({ newest }: { newest: ReturnType<typeof useCrmSearch> }) {
  if (newest.isLoading) return <LoadingSpinner label="Looking for scores" showLabel />;
  if (newest.error) {
    return (
      <ErrorState title="Upswell's properties are not there, or not for you">
        <Text>
          HubSpot said: {newest.error.message} Whoever runs Upswell creates the properties with “upswell install”, and
          “upswell doctor” tells what is missing.
        </Text>
      </ErrorState>
    );
  }
  const company = newest.results[0];
  if (company === undefined) {
    return (
      <Alert title="No company is scored yet" variant="info">
        The properties are there. The first “upswell run” fills them.
      </Alert>
    );
  }
  const missing = Object.values(FIELDS).filter((field) => !(field.name in company.properties));
  const of = (key: Key) => company.properties[FIELDS[key].name] ?? 'unknown';
  return (
    <Flex direction="column" gap="sm">
      <Heading>Status</Heading>
      <DescriptionList direction="row">
        <DescriptionListItem label="Last scoring">{of('scored_at')}</DescriptionListItem>
        <DescriptionListItem label="Data as of">{of('data_as_of')}</DescriptionListItem>
        <DescriptionListItem label="Companies scored">{newest.total}</DescriptionListItem>
        <DescriptionListItem label="Model">{of('model_version')}</DescriptionListItem>
        <DescriptionListItem label="Properties">
          {NAMES.length - missing.length} of {NAMES.length}
        </DescriptionListItem>
      </DescriptionList>
      {missing.length > 0 && (
        <Alert title="Some properties are not there, or not for you" variant="warning">
          {missing.map((field) => field.label).join(' · ')}. “upswell install” creates what is missing and changes
          nothing else.
        </Alert>
      )}
    </Flex>
  );
}

/** HubSpot gives access property by property: which belong together, and to whom. */
function Permissions({ portal }: { portal: number }) {
  return (
    <Flex direction="column" gap="xs">
      <Heading>Who sees what</Heading>
      <Text>
        Give access to these properties together, in <Link href={`/property-settings/${portal}/properties?type=0-2`}>the
        properties of companies</Link>, group Expansion. HubSpot offers that with Enterprise, as an aid and not as a lock. Until you do, everybody sees
        and edits all of them.
      </Text>
      <Table bordered>
        <TableHead>
          <TableRow>
            <TableHeader>For</TableHeader>
            <TableHeader>Which means</TableHeader>
            <TableHeader>Properties</TableHeader>
          </TableRow>
        </TableHead>
        <TableBody>
          {ACCESS.map(({ name, text, view, edit }) => (
            <TableRow key={name}>
              <TableCell>
                <Text format={{ fontWeight: 'demibold' }}>{name}</Text>
              </TableCell>
              <TableCell>{text}</TableCell>
              <TableCell>{everything(view, edit) ? 'All of them.' : `${listed('View', view)}${listed('Edit', edit)}`}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </Flex>
  );
}

const everything = (view: readonly Key[], edit: readonly Key[]): boolean => new Set([...view, ...edit]).size === NAMES.length;

const listed = (verb: string, keys: readonly Key[]): string =>
  keys.length === 0 ? '' : `${verb}: ${keys.map((key) => FIELDS[key].label).join(' · ')}.`;

hubspot.extend<'settings'>(() => <Settings />);
