/**
 * The catalogue: all stores of one computer in one SQLite file (DESIGN §6).
 *
 * Write-ahead log and full synchronisation: what a call or a transaction changed survives a power cut once it returned. The home's lock keeps a second
 * process away.
 */
import { failed, type Outcome, succeeded } from '../../base/outcome.ts';
import { StorageBroken, StorageFull, type Stores } from '../../ports/stores.ts';
import { AgreementTable, InvitationTable, LedgerTable } from './agreements.ts';
import { AuditTable } from './audits.ts';
import { Connection, resultCodeOf, resultCodes } from './connection.ts';
import { HeldTable } from './held.ts';
import { LayoutTable } from './layouts.ts';
import { FactTable, ManifestTable } from './manifests.ts';
import { migrate } from './migration.ts';
import { PackStandings } from './pack-standings.ts';
import { PackTable } from './packs.ts';
import { CandidateTable, ObservationTable, RecordTable } from './peers.ts';
import { schemaSteps } from './schema.ts';
import { ShardTable } from './shards.ts';
import { ScanTable, SnapshotTable, TreeTable } from './snapshots.ts';

export type CatalogueFailure = {
  readonly code: 'catalogue.newer-version' | 'catalogue.damaged' | 'catalogue.input-output';
  readonly detail: string;
};

export interface Catalogue extends Stores {
  close(): void;
}

/** Opens the catalogue at `path`, which is made when there is none, and brings it to the newest form. */
export function openCatalogue(path: string): Outcome<Catalogue, CatalogueFailure> {
  let connection: Connection | undefined;
  try {
    connection = new Connection(path);
    const migrated = migrate(connection, path, schemaSteps);
    if (migrated.ok) return succeeded(catalogueOver(connection));
    connection.close();
    return migrated;
  } catch (problem) {
    connection?.close();
    return failed(openingFailure(problem));
  }
}

function catalogueOver(connection: Connection): Catalogue {
  const standings = new PackStandings(connection);
  const packs = new PackTable(connection, standings);
  return {
    packs,
    chunks: packs,
    shards: new ShardTable(connection, standings),
    snapshots: new SnapshotTable(connection),
    scanMemory: new ScanTable(connection),
    trees: new TreeTable(connection),
    agreements: new AgreementTable(connection),
    candidates: new CandidateTable(connection),
    observations: new ObservationTable(connection),
    records: new RecordTable(connection),
    layouts: new LayoutTable(connection, standings, packs),
    audits: new AuditTable(connection),
    ledger: new LedgerTable(connection),
    held: new HeldTable(connection),
    manifests: new ManifestTable(connection),
    invitations: new InvitationTable(connection),
    facts: new FactTable(connection),
    transact: (work) => connection.transact(work),
    close: () => connection.close(),
  };
}

function openingFailure(problem: unknown): CatalogueFailure {
  const wrapped = problem instanceof StorageBroken || problem instanceof StorageFull;
  const code = resultCodeOf(wrapped ? problem.cause : problem);
  if (!(problem instanceof Error) || (code === undefined && !wrapped)) throw problem;
  const damaged = code === resultCodes.corrupt || code === resultCodes.notADatabase;
  return {
    code: damaged ? 'catalogue.damaged' : 'catalogue.input-output',
    detail: problem.message,
  };
}
