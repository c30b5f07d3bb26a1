import { type ReactNode } from 'react';

import { type State } from '../bank';
import { strings } from '../strings';
import { formatSeconds } from '../time';
import { Field } from '../ui/Field';
import { type FieldSpec } from './forms';

export interface DeskFieldProps {
  field: FieldSpec;
  value: string;
  state: State | undefined;
  error: string | undefined;
  onChange: (value: string) => void;
}

type Option = [value: string, text: string];

/** Kinds that take a row of their own. */
const WIDE: ReadonlySet<FieldSpec['kind']> = new Set(['text', 'event']);
const INPUT_MODE = { amount: 'decimal', number: 'numeric' } as const;

export function DeskField(props: DeskFieldProps): ReactNode {
  const { field, value, state, error, onChange } = props;
  const { kind, label } = field;
  if (kind === 'flag') return <Flag {...props} />;
  if (kind === 'users') return <Users {...props} />;
  const options = optionsOf(field, state);
  return (
    <div className={WIDE.has(kind) ? 'wide' : ''}>
      <Field label={label} error={error}>
        {(control) =>
          options ? (
            <select {...control} className="input" value={value} onChange={({ target }) => onChange(target.value)}>
              {options.map(([id, text]) => (
                <option key={id} value={id}>
                  {text}
                </option>
              ))}
            </select>
          ) : (
            <input
              {...control}
              className="input"
              autoComplete="off"
              inputMode={kind === 'amount' || kind === 'number' ? INPUT_MODE[kind] : 'text'}
              value={value}
              onChange={({ target }) => onChange(target.value)}
            />
          )
        }
      </Field>
    </div>
  );
}

/** Everybody with a wallet. */
function customersOf(state: State | undefined): Option[] {
  return state?.users.filter(({ wallets }) => wallets.length > 0).map(({ id, name }) => [id, name]) ?? [];
}

/** The choices of a field; undefined if there are none to choose from. */
function optionsOf({ kind, choices }: FieldSpec, state: State | undefined): Option[] | undefined {
  if (kind === 'choice') return choices?.map((choice) => [choice, choice]);
  if (kind === 'user') return customersOf(state);
  if (kind !== 'event') return undefined;
  const events = (state?.done ?? []).flatMap(({ at, text, events }) =>
    events.map((event): Option => [JSON.stringify(event), `${formatSeconds(at)} ${text} (${event.kind})`]),
  );
  return [['', strings.desk.choose], ...events];
}

function Flag({ field, value, onChange }: DeskFieldProps): ReactNode {
  return (
    <label className="check wide">
      <input type="checkbox" checked={value !== ''} onChange={({ target }) => onChange(target.checked ? 'true' : '')} />
      {field.label}
    </label>
  );
}

function Users({ field, value, state, error, onChange }: DeskFieldProps): ReactNode {
  const chosen = value.split(',').filter((id) => id !== '');
  const change = (id: string, isChosen: boolean): void =>
    onChange((isChosen ? [...chosen, id] : chosen.filter((one) => one !== id)).join(','));
  return (
    <fieldset className="field wide">
      <legend className="legend">{field.label}</legend>
      <div className="checks">
        {customersOf(state).map(([id, name]) => (
          <label key={id} className="check">
            <input
              type="checkbox"
              checked={chosen.includes(id)}
              onChange={({ target }) => change(id, target.checked)}
            />
            {name}
          </label>
        ))}
      </div>
      {error !== undefined && (
        <span className="field-error" role="alert">
          {error}
        </span>
      )}
    </fieldset>
  );
}
