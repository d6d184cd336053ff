// Stand-ins of HubSpot's components in plain React, for the preview only. Names and props are HubSpot's.
import type {
  AccordionProps,
  AlertProps,
  AutoGridProps,
  ButtonProps,
  DateInputProps,
  DescriptionListItemProps,
  DescriptionListProps,
  EmptyStateProps,
  ErrorStateProps,
  FlexProps,
  HeadingProps,
  LinkProps,
  ListProps,
  LoadingSpinnerProps,
  StatisticsItemProps,
  StatisticsProps,
  StatisticsTrendProps,
  StatusTagProps,
  TableCellProps,
  TableProps,
  TagProps,
  TextProps,
} from '@hubspot/ui-extensions';
import { Children, type ReactNode } from 'react';

export { hubspot, useCrmSearch, useExtensionActions, useExtensionContext } from './host';

const named = (...names: (string | false | undefined)[]): string => names.filter(Boolean).join(' ');

export const Flex = ({ direction = 'row', gap = 'flush', justify = 'start', align, wrap, children }: FlexProps) => (
  <div
    className={named('flex', `gap-${gap}`)}
    style={{
      flexDirection: direction,
      justifyContent: justify === 'between' || justify === 'around' ? `space-${justify}` : justify,
      alignItems: align ?? (direction === 'column' ? 'stretch' : 'center'),
      flexWrap: wrap ? 'wrap' : 'nowrap',
    }}
  >
    {children}
  </div>
);

export const AutoGrid = ({ columnWidth, flexible, gap = 'flush', children }: AutoGridProps) => (
  <div
    className={named('grid', `gap-${gap}`)}
    style={{ gridTemplateColumns: `repeat(auto-fit, minmax(min(100%, ${columnWidth}px), ${flexible ? '1fr' : columnWidth}))` }}
  >
    {children}
  </div>
);

export const Text = ({ variant = 'bodytext', format, children }: TextProps) => (
  <p className={named('text', variant)} style={{ fontWeight: format?.fontWeight === undefined || format.fontWeight === 'regular' ? undefined : 600 }}>
    {children}
  </p>
);

export const Accordion = ({ title, defaultOpen, children }: AccordionProps) => (
  <details open={defaultOpen}>
    <summary>{title}</summary>
    {children}
  </details>
);

export const Heading = ({ children }: HeadingProps) => <h3>{children}</h3>;
export const Divider = () => <hr />;
export const Tag = ({ variant = 'default', children }: TagProps) => <span className={named('tag', variant)}>{children}</span>;

export const StatusTag = ({ variant = 'default', children }: StatusTagProps) => (
  <span className={named('statustag', variant)}>
    <i aria-hidden="true" />
    {children}
  </span>
);

export const Statistics = ({ children }: StatisticsProps) => <div className="statistics">{children}</div>;

export const StatisticsItem = ({ label, number, children }: StatisticsItemProps) => (
  <div>
    <span className="label">{label}</span>
    <strong>{number}</strong>
    {children}
  </div>
);

export const StatisticsTrend = ({ direction, value }: StatisticsTrendProps) => (
  <span className={named('trend', direction)}>
    <i aria-hidden="true">{direction === 'increase' ? '▲' : '▼'}</i> {value}
  </span>
);

export const DescriptionList = ({ direction = 'column', children }: DescriptionListProps) => (
  <dl className={direction}>{children}</dl>
);

export const DescriptionListItem = ({ label, children }: DescriptionListItemProps) => (
  <div>
    <dt>{label}</dt>
    <dd>{children}</dd>
  </div>
);

export const List = ({ children }: ListProps) => (
  <ul>
    {Children.map(children, (child) => (
      <li>{child}</li>
    ))}
  </ul>
);

export const Button = ({ variant = 'secondary', size = 'md', disabled, onClick, children }: ButtonProps) => (
  <button
    type="button"
    className={named('button', variant, size)}
    disabled={disabled ?? false}
    // HubSpot hands an event and reactions; the cards use neither
    onClick={() => void (onClick as (() => void) | undefined)?.()}
  >
    {children}
  </button>
);

export const Link = ({ href, children }: LinkProps) => <a href={typeof href === 'string' ? href : href.url}>{children}</a>;

export const Alert = ({ title, variant = 'info', children }: AlertProps) => (
  <div className={named('alert', variant)} role={variant === 'danger' || variant === 'error' ? 'alert' : 'status'}>
    <strong>{title}</strong>
    {children !== undefined && <div>{children}</div>}
  </div>
);

export const EmptyState = ({ title, children }: EmptyStateProps) => (
  <div className="state">
    <Picture path="M8 34h10V20H8zm14 0h10V8H22zm14 0h10V14H36z" />
    {title !== undefined && <h3>{title}</h3>}
    {children}
  </div>
);

const PICTURES = {
  error: 'M27 4 50 44H4zm-2 14v14h4V18zm0 17v4h4v-4z',
  support: 'M27 4a21 21 0 1 0 .01 0zm-2 12h4v4h-4zm0 7h4v14h-4z',
  lock: 'M14 22v-6a13 13 0 0 1 26 0v6h4v24H10V22zm5 0h16v-6a8 8 0 0 0-16 0z',
} as const;

export const ErrorState = ({ title, type = 'error', children }: ErrorStateProps) => (
  <div className="state" role="alert">
    <Picture path={PICTURES[type]} />
    {title !== undefined && <h3>{title}</h3>}
    {children}
  </div>
);

const Picture = ({ path }: { path: string }) => (
  <svg viewBox="0 0 54 50" width="54" height="50" aria-hidden="true">
    <path d={path} fillRule="evenodd" />
  </svg>
);

export const LoadingSpinner = ({ label, showLabel }: LoadingSpinnerProps) => (
  <div className="spinner" role="status" aria-label={label}>
    <i aria-hidden="true" />
    {showLabel && label}
  </div>
);

export const DateInput = ({ label, name, description, min, error, validationMessage, onChange }: DateInputProps) => (
  <label className="date">
    <span>{label}</span>
    {description !== undefined && <small>{description}</small>}
    <input
      type="date"
      name={name}
      aria-invalid={error ?? false}
      min={min && `${min.year}-${String(min.month + 1).padStart(2, '0')}-${String(min.date).padStart(2, '0')}`}
      onChange={({ target }) => {
        const [year, month, date] = target.value.split('-').map(Number);
        if (year && month && date) onChange?.({ year, month: month - 1, date });
      }}
    />
    {validationMessage !== undefined && <small className="invalid">{validationMessage}</small>}
  </label>
);

export const Table = ({ children }: TableProps) => <table>{children}</table>;
export const TableHead = ({ children }: { children: ReactNode }) => <thead>{children}</thead>;
export const TableBody = ({ children }: { children: ReactNode }) => <tbody>{children}</tbody>;
export const TableRow = ({ children }: { children: ReactNode }) => <tr>{children}</tr>;
export const TableHeader = ({ children }: { children?: ReactNode }) => <th scope="col">{children}</th>;
export const TableCell = ({ children }: TableCellProps) => <td>{children}</td>;
