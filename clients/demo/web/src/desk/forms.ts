// Every button of the desk: what it asks the bank, and the fields of its form. Forms and bodies are made from this table.
import { type Routes } from '../bank';

export type DeskRoute = Exclude<Extract<keyof Routes, `POST ${string}`>, 'POST /sign-in' | 'POST /day'>;

export interface FieldSpec {
  /** Its place in the body: 'audience.countries' is a member of `audience`; '' is all of the body. */
  name: string;
  label: string;
  kind: 'user' | 'users' | 'text' | 'amount' | 'number' | 'choice' | 'flag' | 'list' | 'event';
  /** What stands in it at first; for `user` the id. */
  initial?: string;
  choices?: readonly string[];
  optional?: true;
}

export interface FormSpec {
  route: DeskRoute;
  group: string;
  title: string;
  button: string;
  fields: readonly FieldSpec[];
}

const user: FieldSpec = { name: 'userId', label: 'Person', kind: 'user', initial: 'alice' };
const note: FieldSpec = { name: 'note', label: 'Note', kind: 'text', optional: true };
const sides: readonly FieldSpec[] = [
  { name: 'from', label: 'From', kind: 'user', initial: 'alice' },
  { name: 'to', label: 'To', kind: 'user', initial: 'bob' },
];
const SEVERITIES = ['low', 'medium', 'high', 'critical'];

function amount(initial: string, name = 'amount', label = 'Amount in EUR'): FieldSpec {
  return { name, label, kind: 'amount', initial };
}

const MONEY: readonly Omit<FormSpec, 'group'>[] = [
  {
    route: 'POST /send',
    title: 'Payment between two people',
    button: 'Pay',
    fields: [...sides, amount('12.50'), { ...note, initial: 'Lunch' }],
  },
  {
    route: 'POST /transfer',
    title: 'Transfer that takes its time',
    button: 'Transfer',
    fields: [
      ...sides,
      amount('80.00'),
      { name: 'seconds', label: 'Seconds', kind: 'number', initial: '10' },
      note,
      { name: 'fails', label: 'Fails half way', kind: 'flag' },
    ],
  },
  {
    route: 'POST /deposit',
    title: 'Deposit',
    button: 'Deposit',
    fields: [user, amount('500.00'), { ...note, initial: 'Salary' }],
  },
  {
    route: 'POST /withdraw',
    title: 'Withdrawal',
    button: 'Withdraw',
    fields: [user, amount('60.00'), note],
  },
  {
    route: 'POST /pay',
    title: 'Payment to a shop',
    button: 'Pay the shop',
    fields: [user, amount('4.20'), { name: 'merchant', label: 'Shop', kind: 'text', initial: 'Harbour Bakery' }],
  },
  {
    route: 'POST /card',
    title: 'Card activity',
    button: 'Use the card',
    fields: [
      user,
      { name: 'type', label: 'Kind', kind: 'choice', choices: ['purchase', 'refund', 'declined'] },
      { name: 'merchant', label: 'Shop', kind: 'text', initial: 'Nordsee Bookshop' },
      amount('36.90'),
    ],
  },
];

const ACCOUNT: readonly Omit<FormSpec, 'group'>[] = [
  {
    route: 'POST /alert',
    title: 'Security alert',
    button: 'Alert',
    fields: [
      user,
      { name: 'severity', label: 'Severity', kind: 'choice', choices: SEVERITIES, initial: 'critical' },
      { name: 'message', label: 'Message', kind: 'text', initial: 'A new device signed in from Lisbon.' },
      { name: 'action', label: 'What to do', kind: 'text', initial: 'Change your password.', optional: true },
    ],
  },
  {
    route: 'POST /limit',
    title: 'Limit',
    button: 'Tell of the limit',
    fields: [
      user,
      { name: 'limit', label: 'Limit', kind: 'choice', choices: ['card', 'transfer', 'cash'] },
      { name: 'period', label: 'Period', kind: 'choice', choices: ['daily', 'weekly', 'monthly'] },
      amount('920.00', 'used', 'Used, in EUR'),
      amount('1000.00', 'max', 'Of, in EUR'),
    ],
  },
  {
    route: 'POST /kyc',
    title: 'Identity check',
    button: 'Tell of the check',
    fields: [
      user,
      { name: 'status', label: 'Status', kind: 'choice', choices: ['pending', 'verified', 'rejected', 'expired'] },
      { name: 'level', label: 'Level', kind: 'choice', choices: ['basic', 'full'], initial: 'full' },
      { name: 'message', label: 'Message', kind: 'text', optional: true },
    ],
  },
  {
    route: 'POST /revoke',
    title: 'End all sessions of a person',
    button: 'Revoke',
    fields: [user],
  },
];

const PEOPLE: readonly Omit<FormSpec, 'group'>[] = [
  {
    route: 'POST /broadcast',
    title: 'Announcement',
    button: 'Announce',
    fields: [
      { name: 'title', label: 'Title', kind: 'text', initial: 'Maintenance tonight' },
      { name: 'message', label: 'Message', kind: 'text', initial: 'Card payments pause from 02:00 to 02:10.' },
      { name: 'severity', label: 'Severity', kind: 'choice', choices: SEVERITIES, initial: 'medium' },
      { name: 'expiresInSeconds', label: 'Ends after seconds', kind: 'number', optional: true },
      { name: 'audience.countries', label: 'Only countries (FR, DE)', kind: 'list', optional: true },
      { name: 'audience.tiers', label: 'Only tiers (gold, basic)', kind: 'list', optional: true },
    ],
  },
  {
    route: 'POST /recall',
    title: 'Take something back',
    button: 'Take back',
    fields: [{ name: '', label: 'What', kind: 'event' }],
  },
  {
    route: 'POST /friends',
    title: 'Friends of a person',
    button: 'Set friends',
    fields: [user, { name: 'friends', label: 'Friends', kind: 'users', initial: 'bob,carol,dave' }],
  },
];

export const FORMS: readonly FormSpec[] = [
  ...MONEY.map((form) => ({ ...form, group: 'Money' })),
  ...ACCOUNT.map((form) => ({ ...form, group: 'Security and account' })),
  ...PEOPLE.map((form) => ({ ...form, group: 'People' })),
];

export type Values = Readonly<Record<string, string>>;

/** What stands in a form at first. Several people are a text with commas, a flag is 'true' or ''. */
export function initialValues({ fields }: FormSpec): Values {
  return Object.fromEntries(fields.map(({ name, initial, choices }) => [name, initial ?? choices?.[0] ?? '']));
}

function listOf(text: string): string[] {
  const words = text.split(',').map((word) => word.trim());
  return words.filter((word) => word !== '');
}

/** Of a text that a field holds, what the bank is sent. */
const VALUE_OF: Readonly<Record<Exclude<FieldSpec['kind'], 'event'>, (text: string) => unknown>> = {
  user: (text) => text,
  text: (text) => text,
  choice: (text) => text,
  amount: (text) => text.replace(',', '.'),
  number: Number,
  flag: (text) => text !== '',
  list: listOf,
  users: listOf,
};

function put(body: Record<string, unknown>, [first = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) body[first] = value;
  else put((body[first] ??= {}) as Record<string, unknown>, rest, value);
}

/** What is sent. Empty fields that may be are left out; the rest is the bank's to judge. */
export function bodyOf(form: FormSpec, values: Values): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const { name, kind, optional } of form.fields) {
    const text = (values[name] ?? '').trim();
    if (optional && text === '') continue;
    if (kind === 'event') Object.assign(body, JSON.parse(text === '' ? '{}' : text));
    else put(body, name.split('.'), VALUE_OF[kind](text));
  }
  return body;
}
