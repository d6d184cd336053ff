import { fetchHubSpotApi } from '@hubspot/ui-extensions/experimental/api-client';

import { COMPANIES, FIELDS, type Key } from './fields';

/** Values to write, by our key. Only what people own is ever written from here. */
export type Answer = Partial<Record<Extract<Key, 'feedback' | 'status' | 'not_before' | 'csm_call'>, string>>;

/** What came of a write: it is saved, or why not and what to do. `barred` when this user may not write. */
export type Outcome = { readonly saved: true } | { readonly saved: false; readonly text: string; readonly barred?: true };

/** The company's properties, changed in the name of the signed-in user. Never rejects. */
export async function write(company: number, answer: Answer): Promise<Outcome> {
  const properties = Object.fromEntries(
    Object.entries(answer).map(([key, value]) => [FIELDS[key as keyof Answer].name, value]),
  );
  try {
    const reply = await fetchHubSpotApi({
      path: `${COMPANIES}/${company}`,
      method: 'PATCH',
      contentType: 'application/json',
      body: { properties },
    });
    return reply.status >= 200 && reply.status < 300 ? { saved: true } : refusal(reply.status, reply.body);
  } catch {
    return {
      saved: false,
      text: 'HubSpot did not take the change from this card. Try again, or edit the property on the record itself.',
    };
  }
}

function refusal(status: number, body: unknown): Outcome {
  const said = message(body);
  if (status === 401 || status === 403) {
    return {
      saved: false,
      barred: true,
      text: "You may not edit these properties. Ask your admin for edit access to Upswell's feedback properties.",
    };
  }
  if (status === 404) {
    return { saved: false, text: 'This company is no longer there. It may have been merged or deleted: reload the page.' };
  }
  if (status === 429) {
    return { saved: false, text: 'HubSpot is busy with this account. Wait a moment, then press again.' };
  }
  if (status >= 500) {
    return { saved: false, text: 'HubSpot has a fault of its own. Try again in a minute.' };
  }
  return { saved: false, text: `HubSpot refused the change${said ? `: ${said}` : '.'} Your admin can tell which rule it breaks.` };
}

/** HubSpot's own words, in one sentence. */
function message(body: unknown): string {
  const told = body !== null && typeof body === 'object' && 'message' in body ? body.message : '';
  return typeof told === 'string' && told ? `${told.trim().replace(/\.$/, '')}.` : '';
}
