const { jestConfig } = require('@salesforce/sfdx-lwc-jest/config');

module.exports = {
    ...jestConfig,
    moduleNameMapper: {
        '^lightning/uiListsApi$': '<rootDir>/jest/uiListsApi.js', // the kit's own stand-in lacks the records
        '^c/expansionTheme$': '<rootDir>/force-app/main/default/lwc/expansionTheme/expansionTheme.css',
        '/expansionList\\.css$': '<rootDir>/jest/empty.css', // jsdom knows no container queries, and says so
    },
    setupFilesAfterEnv: [...jestConfig.setupFilesAfterEnv, '<rootDir>/jest/setup.js'],
};
