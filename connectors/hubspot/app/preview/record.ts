/** What the page that shows the preview says before it loads this. */
export interface Preview {
  readonly record: { readonly id: string; readonly name: string; readonly object: string };
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
  readonly editable: readonly string[];
  readonly locale: string;
  readonly currency: string;
  readonly today: string;
  readonly place: 'record' | 'tab' | 'sidebar' | 'home' | 'settings';
  readonly timezone?: string;
  readonly status?: { readonly scored?: number };
  /** To look at what a CSM sees when HubSpot is slow, away or in trouble. */
  readonly fault?: 'loading' | 'network' | 'write';
}

declare global {
  interface Window {
    readonly UPSWELL_PREVIEW: Preview;
  }
}

export const preview = window.UPSWELL_PREVIEW;

type Cells = Readonly<Record<string, string | null>>;

let cells: Cells = Object.fromEntries(
  Object.entries(preview.fields).map(([name, value]) => [name, value === null ? null : String(value)]),
);
const listeners = new Set<() => void>();

/** The record's properties as they are now; a property that is not there may not be read. */
export const now = (): Cells => cells;

/** Call back at each change; gives what ends it. */
export function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Change properties, as HubSpot does: an empty text clears. */
export function change(properties: Readonly<Record<string, string>>): void {
  cells = { ...cells, ...Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, value || null])) };
  listeners.forEach((listener) => listener());
}
