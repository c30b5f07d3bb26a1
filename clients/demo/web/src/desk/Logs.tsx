import { type ReactNode } from 'react';

import { type Done } from '../bank';
import { strings } from '../strings';
import { formatSeconds } from '../time';

/** What came of a button. */
export interface Result {
  at: string;
  title: string;
  ok: boolean;
  text: string;
}

export function Results({ results }: { results: readonly Result[] }): ReactNode {
  return (
    <section className="card desk-card" aria-labelledby="results-heading">
      <h2 id="results-heading">{strings.desk.results}</h2>
      {results.length === 0 && <p className="soft small">{strings.desk.noResults}</p>}
      <div className="log" role="log" aria-labelledby="results-heading" tabIndex={0}>
        {results.map(({ at, title, ok, text }) => (
          <p key={`${at} ${title}`} className="small">
            <time className="soft" dateTime={at}>
              {formatSeconds(at)}
            </time>{' '}
            <strong>{title}</strong>{' '}
            <span className={`tag ${ok ? 'good' : 'bad'}`}>{ok ? strings.desk.done : strings.desk.refused}</span>
            <code>{text}</code>
          </p>
        ))}
      </div>
    </section>
  );
}

export function Happened({ done }: { done: readonly Done[] }): ReactNode {
  return (
    <section className="card desk-card" aria-labelledby="happened-heading">
      <h2 id="happened-heading">{strings.desk.happened}</h2>
      {done.length === 0 && <p className="soft small">{strings.desk.nothing}</p>}
      <div className="log" role="region" aria-labelledby="happened-heading" tabIndex={0}>
        {done.map(({ seq, at, by, text }) => (
          <p key={seq} className="small">
            <time className="soft" dateTime={at}>
              {formatSeconds(at)}
            </time>{' '}
            {text} {by === 'day' && <span className="tag">{strings.desk.byDay}</span>}
          </p>
        ))}
      </div>
    </section>
  );
}
