import { useRealtime, useStore } from '@walletwire/react';
import { type ReactNode, type SyntheticEvent, useRef, useState } from 'react';

import { askBank, BankError, messageOf } from '../bank';
import { randomKey } from '../id';
import { formatMoney, isMore, parseAmount, scaleOf } from '../money';
import { strings } from '../strings';
import { Field } from '../ui/Field';
import { useDirectory } from './directory';

const NOTE_MAX = 140;
/** How long a transfer takes that can be watched. */
const SLOW_S = 10;

type Errors = Partial<Record<'to' | 'amount' | 'note' | 'form', string>>;

export function SendMoney({ onTransfer }: { onTransfer: (id: string) => void }): ReactNode {
  const { me, users } = useDirectory();
  const [wallet] = useStore(useRealtime().balances).values();
  const currency = wallet?.currency ?? 'EUR';
  const others = users.filter(({ id }) => id !== me.id);
  const [to, setTo] = useState(others[0]?.id ?? '');
  const [amount, setAmount] = useState('');
  const [note, setNote] = useState('');
  const [isSlow, setSlow] = useState(false);
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const [sent, setSent] = useState('');
  // Of what is in the form: trying the same again must not send it twice.
  const key = useRef<string>(undefined);
  const amountInput = useRef<HTMLInputElement>(null);

  const change = (): void => {
    key.current = undefined;
    setErrors({});
    setSent('');
  };
  const submit = async (): Promise<void> => {
    const decimal = parseAmount(amount, scaleOf(currency));
    const problem =
      decimal === undefined
        ? strings.send.badAmount
        : wallet && isMore(decimal, wallet.available_balance, scaleOf(currency))
          ? strings.send.tooMuch
          : undefined;
    if (decimal === undefined || problem !== undefined) {
      setErrors({ amount: problem ?? strings.send.badAmount });
      amountInput.current?.focus();
      return;
    }
    setBusy(true);
    setErrors({});
    key.current ??= randomKey();
    const body = { from: me.id, to, amount: decimal, ...(note.trim() !== '' && { note: note.trim() }) };
    const options = { key: key.current };
    try {
      if (isSlow) onTransfer((await askBank('POST /transfer', { ...body, seconds: SLOW_S }, options)).id);
      else await askBank('POST /send', body, options);
      const name = others.find(({ id }) => id === to)?.name ?? to;
      change();
      setSent((isSlow ? strings.send.begun : strings.send.sent)(formatMoney(decimal, currency), name));
      setAmount('');
      setNote('');
    } catch (error) {
      const { field } = error instanceof BankError ? error : { field: undefined };
      const known = field === 'to' || field === 'amount' || field === 'note' ? field : 'form';
      setErrors({ [known]: messageOf(error) });
    }
    setBusy(false);
  };
  return (
    <section className="card send" aria-labelledby="send-heading">
      <h2 id="send-heading">{strings.send.heading}</h2>
      <form
        noValidate
        onChange={change}
        onSubmit={(event: SyntheticEvent) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div className="send-row">
          <Field label={strings.send.to} error={errors.to}>
            {(control) => (
              <select {...control} className="input" value={to} onChange={({ target }) => setTo(target.value)}>
                {others.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label={strings.send.amount(currency)} error={errors.amount}>
            {(control) => (
              <input
                {...control}
                ref={amountInput}
                className="input number"
                inputMode="decimal"
                autoComplete="off"
                placeholder="0.00"
                value={amount}
                onChange={({ target }) => setAmount(target.value)}
              />
            )}
          </Field>
        </div>
        <Field label={strings.send.note} error={errors.note}>
          {(control) => (
            <input
              {...control}
              className="input"
              maxLength={NOTE_MAX}
              autoComplete="off"
              placeholder={strings.send.notePlaceholder}
              value={note}
              onChange={({ target }) => setNote(target.value)}
            />
          )}
        </Field>
        <label className="check">
          <input type="checkbox" checked={isSlow} onChange={({ target }) => setSlow(target.checked)} />
          {strings.send.slow(SLOW_S)}
        </label>
        {errors.form !== undefined && (
          <p className="field-error" role="alert">
            {errors.form}
          </p>
        )}
        <button type="submit" className="button" disabled={busy}>
          {busy ? strings.send.busy : strings.send.button}
        </button>
        <p className="send-done small" role="status">
          {sent}
        </p>
      </form>
    </section>
  );
}
