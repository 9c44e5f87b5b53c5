import type { Settings } from '../base/config.js';
import { HxError } from '../base/errors.js';
import type { EmitProgress } from '../base/events.js';

/**
 * Brings the catalog for other tools up to date, where the lake is local. Nothing else fails by it: a note says what
 * is wrong.
 */
export async function refreshCatalog({
  settings,
  emit,
}: {
  readonly settings: Settings;
  readonly emit: EmitProgress;
}): Promise<void> {
  if (settings.get('HX_LAKE_URL') !== undefined) return;
  const { refreshCatalogFile } = await import('../lake/engine/catalog-file.js');
  try {
    await refreshCatalogFile(settings.dataDir);
  } catch (error) {
    if (!(error instanceof HxError)) throw error;
    emit({ type: 'note', message: `${error.message} ${error.hint ?? ''}` });
  }
}
