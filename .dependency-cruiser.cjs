// The rule of the house: imports point down only (see docs/decisions/0001-rooms.md).
// main -> roles -> services -> domain -> schemas, services -> infra -> schemas; no service imports another.
const services = ['commands', 'ingest', 'projections', 'inference', 'ledger', 'simulation']
const anyService = `^(${services.join('|')})/`

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...services.map((service) => ({
      name: `${service}-imports-no-other-service`,
      severity: 'error',
      from: { path: `^${service}/`, pathNot: '\\.test\\.ts$' },
      to: { path: anyService, pathNot: `^${service}/` },
    })),
    {
      name: 'schemas-import-nothing-above',
      severity: 'error',
      from: { path: '^schemas/' },
      to: {
        path: '^(domain|infra|console|main\\.ts|commands|ingest|projections|inference|ledger|simulation)',
      },
    },
    {
      name: 'domain-imports-schemas-only',
      severity: 'error',
      from: { path: '^domain/' },
      to: { path: '^(infra|console|main\\.ts|commands|ingest|projections|inference|ledger|simulation)' },
    },
    {
      name: 'domain-does-no-io',
      severity: 'error',
      from: { path: '^(domain|schemas)/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'infra-imports-schemas-at-most',
      severity: 'error',
      from: { path: '^infra/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(domain|console|main\\.ts|commands|ingest|projections|inference|ledger|simulation)' },
    },
    {
      name: 'console-talks-http-only',
      severity: 'error',
      from: { path: '^console/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(main\\.ts|commands|domain|infra|ingest|projections|inference|ledger|simulation)' },
    },
    {
      name: 'nothing-imports-main-or-roles',
      severity: 'error',
      from: { pathNot: '^(main\\.ts$|roles/|tests/|bench/)' },
      to: { path: '^(main\\.ts$|roles/)' },
    },
    {
      name: 'the-verifier-stands-alone',
      severity: 'error',
      from: { path: '^verify/src/' },
      to: { pathNot: '^verify/src/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'eventstoredb-client-behind-its-port',
      severity: 'error',
      from: { pathNot: '^(infra/event-store/eventstoredb|tests|bench)/' },
      to: { path: 'node_modules/@eventstore' },
    },
    {
      name: 'kafkajs-behind-its-port',
      severity: 'error',
      from: { pathNot: '^(infra/kafka|tests|bench)/' },
      to: { path: 'node_modules/kafkajs' },
    },
    {
      name: 'control-topics-are-out-of-reach',
      comment:
        'Write-back to the plant does not exist: only the broker side may know what a control topic is called.',
      severity: 'error',
      from: { pathNot: '^(infra/mqtt|tests)/|\\.test\\.ts$' },
      to: { path: '^schemas/control-topics\\.ts$' },
    },
    {
      name: 'mqtt-behind-its-ports',
      comment: 'Whoever could publish anywhere could publish on a control topic.',
      severity: 'error',
      from: { pathNot: '^(infra/mqtt|simulation|tests|bench)/|\\.test\\.ts$|/testing/' },
      to: { path: 'node_modules/(mqtt|aedes|mqtt-packet)/' },
    },
    {
      name: 'tests-are-not-product',
      severity: 'error',
      from: { pathNot: '\\.test\\.ts$|^tests/|^bench/|/testing/' },
      to: { path: '\\.test\\.ts$|^tests/|^bench/|/testing/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs', '.json'],
    },
  },
}
