// What the current version rests on: the evidence for its SLSA level, its SBOMs, its signed
// statements.
import { h } from '../../lib/dom.js';
import { none, number, size, time } from '../../lib/time.js';
import { digest, level, section, words } from '../../parts/badges.js';
import { saveButton } from '../../parts/save.js';
import { empty } from '../../parts/states.js';
import { table } from '../../parts/table.js';

/** What people call the predicate types, and files of them. */
const PREDICATES = {
  'https://slsa.dev/provenance/v1': ['SLSA provenance', 'provenance'],
  'https://spdx.dev/Document': ['SPDX SBOM', 'spdx'],
  'https://cyclonedx.org/bom': ['CycloneDX SBOM', 'cyclonedx'],
  'https://openvex.dev/ns': ['OpenVEX', 'openvex'],
  'https://cosign.sigstore.dev/attestation/vuln/v1': ['Vulnerability scan', 'scan'],
  'https://sigstore.dev/cosign/sign/v1': ['Signature of the image', 'signature'],
};

function predicate(type) {
  return PREDICATES[type] ?? ['Statement', 'statement'];
}

function named(image, ending) {
  return `${image.name}-${image.current.version}-${ending}`;
}

/** The part. */
export function overviewPart(image) {
  if (!image.current) {
    return empty('There is no version yet.', 'Documents come with the first build that completes.');
  }
  return [provenance(image), sboms(image), attestations(image)];
}

function provenance(image) {
  const title = 'Provenance and SLSA level';
  const get =
    image.provenance_href &&
    saveButton(image.provenance_href, 'the provenance', named(image, 'provenance.json'), true);
  if (!image.slsa) {
    const why = 'Its provenance is assessed as soon as it is logged.';
    return section(title, empty('The level is not assessed yet.', why), get);
  }
  const checks = image.slsa.checks.map(({ check, passed, detail }) =>
    h(
      'li',
      { class: passed ? 'passed' : 'failed' },
      h('span', { class: 'verdict' }, passed ? 'passed' : 'failed'),
      h('span', { class: 'check-name' }, words(check)),
      h('span', { class: 'quiet' }, detail),
    ),
  );
  return section(
    title,
    h('p', null, level(image.slsa.level), ' assessed ', time(image.slsa.assessed_at)),
    h('ul', { class: 'checks' }, checks),
    get,
  );
}

function sboms(image) {
  const columns = [
    { title: 'Format', cell: (row) => `${row.format} ${row.spec_version}` },
    { title: 'Components', kind: 'number', cell: (row) => number(row.components) },
    { title: 'Size', kind: 'number', cell: (row) => size(row.bytes) },
    { title: 'SHA-256', cell: (row) => digest(row.sha256) },
    {
      title: 'Get it',
      cell: (row) =>
        saveButton(row.href, `the ${row.format} SBOM`, named(image, `${row.format}.json`)),
    },
  ];
  const nothing = empty('There is no SBOM.', 'It is stored with the build that made the version.');
  const shown = image.sboms.length === 0 ? nothing : table('SBOMs', columns, image.sboms);
  return section('SBOMs', shown);
}

function attestations(image) {
  const columns = [
    { title: 'Statement', cell: (row) => statement(row.predicate_type) },
    { title: 'Signed', cell: (row) => time(row.created_at) },
    { title: 'Log index', kind: 'number', cell: (row) => row.log_index ?? 'not logged yet' },
    { title: 'Bundle', cell: (row) => bundle(image, row) },
    { title: 'Document', cell: (row) => stated(image, row) },
  ];
  const nothing = empty('Nothing is signed yet.', 'Builds and scans sign what they find.');
  const { attestations: rows } = image;
  return section(
    'Attestations',
    rows.length === 0 ? nothing : table('Attestations', columns, rows),
  );
}

function statement(type) {
  return [predicate(type)[0], h('span', { class: 'sub' }, type)];
}

function bundle(image, row) {
  if (!row.href) return 'being made';
  const [title, ending] = predicate(row.predicate_type);
  const name = named(image, `${ending}.sigstore.json`);
  return [saveButton(row.href, `the bundle of ${title}`, name), ` ${size(row.bytes)}`];
}

function stated(image, row) {
  if (!row.document_href) return none();
  const [title, ending] = predicate(row.predicate_type);
  return saveButton(row.document_href, `the document of ${title}`, named(image, `${ending}.json`));
}
