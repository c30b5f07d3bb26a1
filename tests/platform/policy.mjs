// Our rules for what runs on Kubernetes. Each says what is wrong, object by object, and how to break it: a rule that
// finds nothing in its broken copy is worth nothing.

import { arrows, containersOf, find, podOf, secretsTold, workloads } from './render.mjs';

const edge = (objects) => find(objects, 'Deployment', 'edge');
const pod = (objects) => podOf(edge(objects));
const first = (objects) => pod(objects).containers[0];
const nameOf = ({ kind, metadata }) => `${kind} ${metadata.name}`;
const lasting = (objects) => workloads(objects).filter(({ kind }) => kind !== 'Job');
const settingOf = (container, name) => container.env?.find((entry) => entry.name === name)?.value;

/** A rule about each workload: what check() says of it, if anything. */
const perWorkload = (list, check) => (objects) =>
  list(objects).flatMap((workload) => {
    const said = check(workload, objects);
    return said ? [`${nameOf(workload)}: ${said}`] : [];
  });
const perContainer = (check) => (objects) =>
  workloads(objects).flatMap((workload) =>
    containersOf(workload).flatMap((container) => {
      const said = check(container, workload);
      return said ? [`${nameOf(workload)}, ${container.name}: ${said}`] : [];
    }),
  );

const seconds = (text) => {
  const [, number, unit] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  if (!number) throw new Error(`no duration: ${text}`);
  return Number(number) * { ms: 0.001, s: 1, m: 60 }[unit];
};
const END_SECONDS = 15; // what an edge may take from its last session to its exit

function graceOf(workload) {
  const spec = podOf(workload);
  const container = spec.containers[0];
  const drain = settingOf(container, 'WW_DRAIN_TIME');
  if (drain === undefined) return 'has no WW_DRAIN_TIME';
  const [command, pause] = container.lifecycle?.preStop?.exec?.command ?? [];
  if (command !== 'sleep') return 'has no preStop that sleeps';
  const needs = Number(pause) + seconds(drain) + END_SECONDS;
  return spec.terminationGracePeriodSeconds === needs ? '' : `grace is ${spec.terminationGracePeriodSeconds} s, not ${needs}`;
}

// --- network policies ---

const peerName = ({ podSelector, namespaceSelector, ipBlock }) =>
  ipBlock
    ? 'postgres'
    : (podSelector?.matchLabels?.['app.kubernetes.io/name'] ?? namespaceSelector?.matchLabels?.['walletwire/role'] ?? '*');

const NAMES = [
  {
    to: [
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
        podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
      },
    ],
    ports: [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
  },
];

const sorted = (value) => (Array.isArray(value) ? value.map(sorted) : value && typeof value === 'object'
  ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
  : value);
const same = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

/** What policies let through: "from>to:port", as told by the side of who is asked, and of who asks. */
function letThrough(policies) {
  const sides = { ingress: new Set(), egress: new Set() };
  for (const { spec } of policies) {
    const self = peerName(spec);
    for (const [side, peers] of [['ingress', 'from'], ['egress', 'to']]) {
      for (const rule of spec[side] ?? []) {
        // Without ports or peers a rule means all of them.
        for (const { port, protocol } of rule.ports ?? [{ port: '*', protocol: 'TCP' }]) {
          for (const peer of (rule[peers] ?? [{}]).map(peerName)) {
            const end = `${port}${protocol === 'TCP' ? '' : `/${protocol}`}`;
            sides[side].add(side === 'ingress' ? `${peer}>${self}:${end}` : `${self}>${peer}:${end}`);
          }
        }
      }
    }
  }
  return sides;
}

function networkFindings(objects) {
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
  const common = (name) => policies.find(({ metadata }) => metadata.name === name)?.spec;
  const said = [];
  if (!same(common('nobody'), { podSelector: {}, policyTypes: ['Ingress', 'Egress'] })) said.push('nobody: lets something through');
  if (!same(common('names'), { podSelector: {}, policyTypes: ['Egress'], egress: NAMES })) said.push('names: more or less than DNS');

  const own = policies.filter(({ metadata }) => !['nobody', 'names'].includes(metadata.name));
  const sides = letThrough(own);
  const pods = new Set(workloads(objects).map(({ metadata }) => metadata.name));
  const wanted = arrows();
  for (const [side, end] of [['ingress', 'to'], ['egress', 'from']]) {
    const expected = new Set(wanted.filter((arrow) => pods.has(arrow[end])).map(({ from, to, port }) => `${from}>${to}:${port}`));
    for (const arrow of expected) if (!sides[side].has(arrow)) said.push(`${side} ${arrow} is missing`);
    for (const arrow of sides[side]) if (!expected.has(arrow)) said.push(`${side} ${arrow} is no arrow`);
  }
  return said;
}

const policy = (objects, name) => find(objects, 'NetworkPolicy', name).spec;

/** name, check(objects) -> findings, break: ways to go wrong, each on a copy. */
export const RULES = [
  {
    name: 'nobody is root',
    check: (objects) => [
      ...perWorkload(workloads, (workload) => {
        const { runAsNonRoot, runAsUser } = podOf(workload).securityContext ?? {};
        return runAsNonRoot === true && runAsUser > 0 ? '' : 'may be root';
      })(objects),
      ...perContainer(({ securityContext }) =>
        securityContext?.runAsUser === undefined && securityContext?.runAsNonRoot === undefined ? '' : 'says its own user',
      )(objects),
    ],
    break: [
      (o) => delete pod(o).securityContext.runAsNonRoot,
      (o) => (pod(o).securityContext.runAsUser = 0),
      (o) => (first(o).securityContext.runAsUser = 0),
    ],
  },
  {
    name: 'restricted',
    check: (objects) => [
      ...perWorkload(workloads, (workload) => {
        const { securityContext, hostNetwork, hostPID, hostIPC, volumes = [] } = podOf(workload);
        if (hostNetwork || hostPID || hostIPC) return 'shares a namespace of the host';
        if (volumes.some(({ hostPath }) => hostPath)) return 'has a folder of the host';
        return securityContext?.seccompProfile?.type === 'RuntimeDefault' ? '' : 'has no seccomp profile';
      })(objects),
      ...perContainer(({ securityContext = {} }) => {
        const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities, privileged } = securityContext;
        if (allowPrivilegeEscalation !== false || privileged) return 'may gain privileges';
        if (readOnlyRootFilesystem !== true) return 'may write to its root';
        return same(capabilities, { drop: ['ALL'] }) ? '' : 'keeps capabilities';
      })(objects),
      ...(objects.find(({ kind }) => kind === 'Namespace')?.metadata.labels?.['pod-security.kubernetes.io/enforce'] ===
      'restricted'
        ? []
        : ['the namespace does not enforce it']),
    ],
    break: [
      (o) => (pod(o).hostNetwork = true),
      (o) => pod(o).volumes.push({ name: 'x', hostPath: { path: '/' } }),
      (o) => delete pod(o).securityContext.seccompProfile,
      (o) => delete first(o).securityContext.allowPrivilegeEscalation,
      (o) => (first(o).securityContext.readOnlyRootFilesystem = false),
      (o) => (first(o).securityContext.capabilities.add = ['NET_ADMIN']),
      (o) => delete o.find(({ kind }) => kind === 'Namespace').metadata.labels,
    ],
  },
  {
    name: 'requests and limits',
    check: perContainer(({ resources = {} }) => {
      const missing = ['requests', 'limits'].flatMap((part) =>
        ['cpu', 'memory'].filter((what) => !resources[part]?.[what]).map((what) => `${part}.${what}`),
      );
      return missing.length > 0 ? `no ${missing.join(', ')}` : '';
    }),
    break: [(o) => delete first(o).resources.limits.memory, (o) => delete first(o).resources],
  },
  {
    name: 'probes',
    check: perWorkload(lasting, (workload) => {
      const [container] = podOf(workload).containers;
      const missing = ['startupProbe', 'livenessProbe', 'readinessProbe'].filter((name) => !container[name]);
      if (missing.length > 0) return `no ${missing.join(', ')}`;
      if (workload.metadata.name === 'nats') return ''; // it has no admin port
      const { livenessProbe, readinessProbe } = container;
      if (livenessProbe.httpGet?.path !== '/healthz' || livenessProbe.httpGet.port !== 'admin') return 'liveness is not /healthz';
      return readinessProbe.httpGet?.path === '/readyz' && readinessProbe.httpGet.port === 'admin' ? '' : 'readiness is not /readyz';
    }),
    break: [
      (o) => delete first(o).startupProbe,
      (o) => (first(o).livenessProbe.httpGet.path = '/readyz'), // a database that is away would restart everything
      (o) => (first(o).readinessProbe.httpGet.port = 'http'),
      (o) => delete podOf(find(o, 'StatefulSet', 'audit')).containers[0].readinessProbe,
    ],
  },
  {
    name: 'spread',
    check: perWorkload(lasting, (workload) => {
      const { name } = workload.metadata;
      const keys = (podOf(workload).topologySpreadConstraints ?? [])
        .filter(({ labelSelector }) => labelSelector?.matchLabels?.['app.kubernetes.io/name'] === name)
        .map(({ topologyKey }) => topologyKey);
      return keys.includes('topology.kubernetes.io/zone') && keys.includes('kubernetes.io/hostname') ? '' : 'not over zones and nodes';
    }),
    break: [
      (o) => pod(o).topologySpreadConstraints.pop(),
      (o) => (pod(o).topologySpreadConstraints[0].labelSelector.matchLabels['app.kubernetes.io/name'] = 'egde'),
    ],
  },
  {
    name: 'disruption budgets',
    check: perWorkload(lasting, ({ metadata: { name } }, objects) =>
      objects.some(
        ({ kind, spec }) =>
          kind === 'PodDisruptionBudget' &&
          spec.selector.matchLabels['app.kubernetes.io/name'] === name &&
          (spec.maxUnavailable ?? 0) === 1,
      )
        ? ''
        : 'no budget of one',
    ),
    break: [(o) => (find(o, 'PodDisruptionBudget', 'edge').spec.maxUnavailable = 0), (o) => (find(o, 'PodDisruptionBudget', 'nats').spec.selector.matchLabels = {})],
  },
  {
    name: 'no token of a service account',
    check: perWorkload(workloads, (workload, objects) => {
      const { serviceAccountName, automountServiceAccountToken } = podOf(workload);
      const account = objects.find(({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === serviceAccountName);
      if (!account) return 'has no account of its own';
      return automountServiceAccountToken === false && account.automountServiceAccountToken === false ? '' : 'is given a token';
    }),
    break: [
      (o) => delete pod(o).serviceAccountName,
      (o) => delete pod(o).automountServiceAccountToken,
      (o) => delete find(o, 'ServiceAccount', 'chat').automountServiceAccountToken,
    ],
  },
  {
    name: 'images by version',
    check: perContainer(({ image }) => (/(@sha256:[0-9a-f]{64}|:(?!latest$)[^:/@]+)$/.test(image) ? '' : `image ${image}`)),
    break: [(o) => (first(o).image = 'walletwire:latest'), (o) => (first(o).image = 'localhost:5000/walletwire')],
  },
  {
    name: 'secrets by reference',
    check: (objects) => [
      ...objects.filter(({ kind }) => kind === 'Secret').map((object) => `${nameOf(object)} is in the manifests`),
      ...perContainer(({ env = [] }) => {
        const told = env.filter(({ name, value }) => value && /(PASSWORD|SECRET|KEY|KEY_OLD|DATABASE_URL)$/.test(name));
        return told.length > 0 ? `${told.map(({ name }) => name).join(', ')} has its value here` : '';
      })(objects),
      ...perWorkload(workloads, (workload) =>
        (podOf(workload).volumes ?? []).some(({ secret }) => secret && secret.defaultMode !== 0o440) ? 'a secret is readable to all' : '',
      )(objects),
    ],
    break: [
      (o) => o.push({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }),
      (o) => first(o).env.push({ name: 'WW_RECOVERY_KEY', value: 'x' }),
      (o) => delete pod(o).volumes.find(({ secret }) => secret).secret.defaultMode,
    ],
  },
  {
    name: 'grace of edges',
    check: perWorkload((objects) => [edge(objects)], graceOf),
    break: [
      (o) => (pod(o).terminationGracePeriodSeconds = 30),
      (o) => (first(o).env.find(({ name }) => name === 'WW_DRAIN_TIME').value = '5m'),
      (o) => delete first(o).lifecycle,
    ],
  },
  {
    // By itself an edge starts one for each core of the node.
    name: 'loops of edges',
    check: perWorkload((objects) => [edge(objects)], (workload) => {
      const [container] = podOf(workload).containers;
      return settingOf(container, 'WW_LOOPS') === container.resources?.limits?.cpu ? '' : 'WW_LOOPS is not the limit of CPU';
    }),
    break: [(o) => (first(o).resources.limits.cpu = '4')],
  },
  {
    name: 'edges scale down slowly',
    check: (objects) =>
      objects
        .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
        .flatMap(({ spec: { behavior, metrics } }) => {
          const { stabilizationWindowSeconds = 0, policies = [] } = behavior?.scaleDown ?? {};
          const slow = stabilizationWindowSeconds >= 600 && policies.length === 1 && policies[0].value === 1 && policies[0].type === 'Pods';
          const sockets = metrics.some(({ pods }) => pods?.metric.name === 'ww_edge_sockets');
          const cpu = metrics.some(({ containerResource }) => containerResource?.name === 'cpu' && containerResource.container === 'edge');
          const alone = edge(objects).spec.replicas === undefined;
          return [
            ...(slow ? [] : ['more than one at a time, or at once']),
            ...(sockets ? [] : ['not by sockets']),
            ...(cpu ? [] : ['not by CPU']),
            ...(alone ? [] : ['edges have a number of replicas too']),
          ];
        }),
    only: 'prod',
    break: [
      (o) => delete find(o, 'HorizontalPodAutoscaler', 'edge').spec.behavior.scaleDown.stabilizationWindowSeconds,
      (o) => find(o, 'HorizontalPodAutoscaler', 'edge').spec.metrics.shift(),
      (o) => find(o, 'HorizontalPodAutoscaler', 'edge').spec.metrics.pop(),
      (o) => (edge(o).spec.replicas = 3),
    ],
  },
  {
    // A WebSocket is one request for as long as it lives, and an edge pings it every 25 s.
    name: 'what stands in front waits',
    check: (objects) => [
      ...objects
        .filter(({ kind }) => kind === 'Ingress')
        .filter(({ metadata: { annotations = {} } }) =>
          ['read', 'send'].some((way) => !(Number(annotations[`nginx.ingress.kubernetes.io/proxy-${way}-timeout`]) >= 60)),
        )
        .map((object) => `${nameOf(object)}: ends sockets`),
      ...objects
        .filter(({ kind }) => kind === 'HTTPRoute')
        .filter(({ spec }) => spec.rules.some(({ timeouts }) => timeouts?.request !== '0s' || timeouts?.backendRequest !== '0s'))
        .map((object) => `${nameOf(object)}: ends sockets`),
      ...(objects.some(({ kind }) => kind === 'Ingress' || kind === 'HTTPRoute') ? [] : ['there is no way in']),
    ],
    break: [
      (o) => {
        const way = o.find(({ kind }) => kind === 'Ingress' || kind === 'HTTPRoute');
        if (way.kind === 'Ingress') way.metadata.annotations = {};
        else delete way.spec.rules[0].timeouts;
      },
      (o) => o.splice(o.findIndex(({ kind }) => kind === 'Ingress' || kind === 'HTTPRoute'), 1),
    ],
  },
  {
    name: 'streams are kept by every server of NATS',
    check: (objects) => {
      const { replicas } = find(objects, 'StatefulSet', 'nats').spec;
      const copies = Number(settingOf(podOf(find(objects, 'Job', 'provision')).containers[0], 'WW_STREAM_REPLICAS'));
      return [...(replicas === copies ? [] : [`${copies} copies, ${replicas} servers`]), ...(replicas % 2 ? [] : ['there may be no majority'])];
    },
    break: [
      (o) => (find(o, 'StatefulSet', 'nats').spec.replicas = 2),
      (o) => (podOf(find(o, 'Job', 'provision')).containers[0].env.find(({ name }) => name === 'WW_STREAM_REPLICAS').value = '7'),
    ],
  },
  {
    name: 'whoever has an admin port is asked by Prometheus',
    check: (objects) => {
      const monitor = objects.find(({ kind }) => kind === 'PodMonitor');
      if (!monitor) return []; // an overlay without it
      const asked = monitor.spec.selector.matchExpressions[0].values;
      const have = lasting(objects)
        .filter((workload) => podOf(workload).containers.some(({ ports }) => ports?.some(({ name }) => name === 'admin')))
        .map(({ metadata }) => metadata.name);
      return [
        ...have.filter((name) => !asked.includes(name)).map((name) => `${name} is not asked`),
        ...asked.filter((name) => !have.includes(name)).map((name) => `there is no ${name}`),
      ];
    },
    only: 'prod',
    break: [
      (o) => find(o, 'PodMonitor', 'walletwire').spec.selector.matchExpressions[0].values.pop(),
      (o) => find(o, 'PodMonitor', 'walletwire').spec.selector.matchExpressions[0].values.push('nats'),
    ],
  },
  {
    // Whoever sets it up has no other list of them.
    name: 'secrets are those that docs/operations.md tells of',
    check: perWorkload(workloads, (workload) =>
      (podOf(workload).volumes ?? [])
        .filter(({ secret }) => secret?.secretName.startsWith('walletwire-'))
        .flatMap(({ secret: { secretName, items = [] } }) => items.map(({ key }) => [secretName, key]))
        .filter(([name, key]) => !(name === 'walletwire-nats' ? /one per NATS user/ : new RegExp(`\`${key}\``)).test(secretsTold().get(name) ?? ''))
        .map(([name, key]) => `${name} has ${key}`)
        .join(', '),
    ),
    break: [
      (o) => (pod(o).volumes.find(({ secret }) => secret?.secretName === 'walletwire-recovery').secret.items[0].key = 'other'),
      (o) => (pod(o).volumes.find(({ secret }) => secret?.secretName === 'walletwire-recovery').secret.secretName = 'walletwire-other'),
    ],
  },
  {
    name: 'network policies are the arrows of docs/architecture.md',
    check: networkFindings,
    break: [
      (o) => o.splice(o.findIndex(({ metadata }) => metadata.name === 'nobody'), 1),
      (o) => (policy(o, 'nobody').ingress = [{}]),
      (o) => policy(o, 'names').egress.push({}),
      (o) => policy(o, 'edge').ingress.pop(),
      (o) => policy(o, 'chat').egress.pop(),
      (o) => (policy(o, 'nats').ingress[0].ports[0].port = 4223),
      (o) => delete policy(o, 'nats').ingress[0].ports,
      (o) => delete policy(o, 'edge').ingress[0].from,
      (o) => policy(o, 'edge').egress.push({ ports: [{ protocol: 'TCP', port: 5432 }], to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }),
      (o) => (policy(o, 'presence').podSelector.matchLabels['app.kubernetes.io/name'] = 'chat'),
    ],
  },
];
