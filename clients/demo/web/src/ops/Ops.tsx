import { type ReactNode, useEffect } from 'react';

import { strings } from '../strings';
import { PageHead } from '../ui/PageHead';
import { EdgeTable, ServiceTable } from './Tables';
import { Tallies } from './Tallies';
import { Tiles } from './Tiles';
import { type OpsConnection, useOps } from './useOps';

const KIND = { connecting: '', live: 'good', lost: 'warn', refused: 'bad' } as const;

export function Ops(): ReactNode {
  const { history, connection } = useOps();
  useEffect(() => {
    document.title = strings.ops.title;
  }, []);
  return (
    <div className="ops">
      <PageHead tag={strings.ops.tag}>
        <span className={`tag ${KIND[connection.status]}`} role="status">
          {textOf(connection)}
        </span>
      </PageHead>
      <main>
        <div className="ops-intro">
          <h1>{strings.ops.heading}</h1>
          <p className="soft">{strings.ops.intro}</p>
        </div>
        {history.last && (
          <>
            <Tiles points={history.points} />
            <EdgeTable history={history} stats={history.last} />
            <Tallies history={history} />
            <ServiceTable history={history} stats={history.last} />
          </>
        )}
      </main>
    </div>
  );
}

function textOf(connection: OpsConnection): string {
  return connection.status === 'refused' ? strings.ops.refused(connection.why) : strings.ops[connection.status];
}
