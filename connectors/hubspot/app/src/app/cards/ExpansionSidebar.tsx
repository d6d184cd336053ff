import { hubspot } from '@hubspot/ui-extensions';

import { Panel } from './Panel';

hubspot.extend<'crm.record.sidebar'>(() => <Panel place="sidebar" />);
