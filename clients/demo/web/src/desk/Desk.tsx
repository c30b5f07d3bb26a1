import { type ReactNode, useCallback, useEffect, useState } from 'react';

import { groupBy } from '../group';
import { strings } from '../strings';
import { PageHead } from '../ui/PageHead';
import { DayControl } from './DayControl';
import { DeskForm } from './DeskForm';
import { FORMS } from './forms';
import { Happened, type Result, Results } from './Logs';
import { Standing } from './Standing';
import { useBankState } from './useBankState';

const RESULTS_MAX = 20;

export function Desk(): ReactNode {
  const { state, error, refresh } = useBankState();
  const [results, setResults] = useState<readonly Result[]>([]);
  useEffect(() => {
    document.title = strings.desk.title;
  }, []);
  const onResult = useCallback(
    (result: Result) => {
      setResults((all) => [result, ...all].slice(0, RESULTS_MAX));
      refresh();
    },
    [refresh],
  );
  return (
    <div className="desk">
      <PageHead tag={strings.desk.tag} />
      <main>
        <div className="desk-intro">
          <h1>{strings.desk.heading}</h1>
          <p className="soft">{strings.desk.intro}</p>
          {error !== undefined && (
            <p className="notice bad" role="alert">
              {error}
            </p>
          )}
        </div>
        <div className="desk-columns">
          <div className="desk-forms">
            {groupBy(FORMS, ({ group }) => group).map(([group, forms]) => (
              <section key={group} aria-label={group}>
                <h2>{group}</h2>
                <div className="form-grid">
                  {forms.map((form) => (
                    <DeskForm key={form.route} form={form} state={state} onResult={onResult} />
                  ))}
                </div>
              </section>
            ))}
          </div>
          <div className="desk-side">
            {state && <DayControl day={state.day} onChanged={refresh} />}
            {state && <Standing state={state} />}
            <Results results={results} />
            <Happened done={state?.done ?? []} />
          </div>
        </div>
      </main>
    </div>
  );
}
