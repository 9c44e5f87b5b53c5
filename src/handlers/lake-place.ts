import type { Settings } from '../base/config.js';
import type { LakePlace } from '../lake/storage/open.js';

/** Where the settings say that the lake is. */
export function lakePlace(settings: Settings, signal?: AbortSignal): LakePlace {
  const url = settings.get('HX_LAKE_URL');
  return {
    dataDir: settings.dataDir,
    s3:
      url === undefined
        ? undefined
        : {
            url,
            accessKeyId: settings.get('AWS_ACCESS_KEY_ID'),
            secretAccessKey: settings.get('AWS_SECRET_ACCESS_KEY'),
            sessionToken: settings.get('AWS_SESSION_TOKEN'),
            region: settings.get('AWS_REGION') ?? settings.get('AWS_DEFAULT_REGION'),
            endpoint: settings.get('AWS_ENDPOINT_URL_S3') ?? settings.get('AWS_ENDPOINT_URL'),
          },
    ...(signal === undefined ? {} : { signal }),
  };
}
