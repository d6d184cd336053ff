import type { FetchHubSpotApiRequest, FetchHubSpotApiResponse } from '@hubspot/ui-extensions/experimental/api-client';

import { change, preview } from './record';

const reply = (status: number, body: unknown): FetchHubSpotApiResponse => ({ status, headers: {}, body });

/** HubSpot's API as far as the card calls it: it changes the record in this page, and minds who may. */
export async function fetchHubSpotApi(request: FetchHubSpotApiRequest): Promise<FetchHubSpotApiResponse> {
  const properties = request.body?.['properties'] as Readonly<Record<string, string>> | undefined;
  if (preview.fault === 'write') return reply(400, { message: 'Property values were not valid' });
  if (request.method !== 'PATCH' || properties === undefined) return reply(404, null);
  if (Object.keys(properties).some((name) => !preview.editable.includes(name))) return reply(403, null);
  change(properties);
  return reply(200, { id: preview.record.id, properties });
}
