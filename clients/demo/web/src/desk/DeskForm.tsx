import { type ReactNode, type SyntheticEvent, useId, useState } from 'react';

import { askBank, BankError, messageOf, type State } from '../bank';
import { strings } from '../strings';
import { DeskField } from './DeskField';
import { bodyOf, type FormSpec, initialValues } from './forms';
import { type Result } from './Logs';

export interface DeskFormProps {
  form: FormSpec;
  state: State | undefined;
  onResult: (result: Result) => void;
}

export function DeskForm({ form, state, onResult }: DeskFormProps): ReactNode {
  const heading = useId();
  const [values, setValues] = useState(() => initialValues(form));
  const [wrong, setWrong] = useState<{ field: string | undefined; message: string }>();
  const [busy, setBusy] = useState(false);

  const submit = async (): Promise<void> => {
    setBusy(true);
    setWrong(undefined);
    const { route, title } = form;
    const tell = (ok: boolean, text: string): void => onResult({ at: new Date().toISOString(), title, ok, text });
    try {
      // The bank checks what it is sent, so the types of its routes are not asked for here.
      tell(true, JSON.stringify(await askBank(route, bodyOf(form, values) as never)));
    } catch (error) {
      const field = error instanceof BankError ? error.field : undefined;
      const known = form.fields.find(({ name }) => name !== '' && field?.startsWith(name));
      setWrong({ field: known?.name, message: messageOf(error) });
      tell(false, field === undefined ? messageOf(error) : `${field}: ${messageOf(error)}`);
    }
    setBusy(false);
  };
  return (
    <form
      className="card desk-form"
      aria-labelledby={heading}
      noValidate
      onSubmit={(event: SyntheticEvent) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h3 id={heading}>{form.title}</h3>
      <div className="desk-fields">
        {form.fields.map((field) => (
          <DeskField
            key={field.name}
            field={field}
            value={values[field.name] ?? ''}
            state={state}
            error={wrong && wrong.field === field.name ? wrong.message : undefined}
            onChange={(value) => setValues((all) => ({ ...all, [field.name]: value }))}
          />
        ))}
      </div>
      {wrong && wrong.field === undefined && (
        <p className="field-error" role="alert">
          {wrong.message}
        </p>
      )}
      <button type="submit" className="button compact" disabled={busy}>
        {busy ? strings.desk.busy : form.button}
      </button>
    </form>
  );
}
