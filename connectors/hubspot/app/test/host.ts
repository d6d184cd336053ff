import type { RenderedChildNode } from '@hubspot/ui-extensions/testing';
import { vi } from 'vitest';

/** HubSpot's side of the worker that a card runs in, as far as the SDK's own client calls it. */
export function host(api: Readonly<Record<string, unknown>>): void {
  vi.stubGlobal('self', { __HUBSPOT_EXTENSION_WORKER__: true, hsWorkerAPI: api });
}

/** All that is to be read in a rendered node, its pieces parted by blanks. */
export function textOf(node: { readonly childNodes: readonly RenderedChildNode[] }): string {
  return node.childNodes.map((child) => ('childNodes' in child ? textOf(child) : child.text)).join(' ');
}
