import { type ReactNode, useState } from 'react';

import { askBank, type Day, messageOf, type SetDay } from '../bank';
import { strings } from '../strings';

const PACES = [0.5, 1, 2, 3, 5, 10, 30]; // seconds

export function DayControl({ day, onChanged }: { day: Day; onChanged: () => void }): ReactNode {
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const change = async (to: SetDay): Promise<void> => {
    setBusy(true);
    try {
      await askBank('POST /day', to);
      setError(undefined);
    } catch (reason) {
      setError(messageOf(reason));
    }
    setBusy(false);
    onChanged();
  };
  const paces = PACES.includes(day.pace) ? PACES : [...PACES, day.pace].sort((a, b) => a - b);
  return (
    <section className="card desk-card" aria-labelledby="day-heading">
      <header className="desk-card-head">
        <h2 id="day-heading">{strings.desk.day}</h2>
        <button
          type="button"
          className={`button compact ${day.running ? 'quiet' : ''}`}
          disabled={busy}
          onClick={() => void change({ running: !day.running })}
        >
          {day.running ? strings.desk.pause : strings.desk.resume}
        </button>
      </header>
      <p className="soft small" role="status">
        {day.running ? strings.desk.dayRunning : strings.desk.dayPaused}
      </p>
      <label className="pace small">
        {strings.desk.pace}
        <select
          className="input"
          value={day.pace}
          disabled={busy}
          onChange={({ target }) => void change({ pace: Number(target.value) })}
        >
          {paces.map((pace) => (
            <option key={pace} value={pace}>
              {pace}
            </option>
          ))}
        </select>
      </label>
      {error !== undefined && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
    </section>
  );
}
