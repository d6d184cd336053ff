/** The page around the panel: ground and letters as Salesforce has them. */
const STYLE = `
    body { margin: 0; font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; }
    body { font-size: 0.8125rem; color: #2e2e2e; background: #f3f3f3; }
    #panel { box-sizing: border-box; padding: 0.75rem; }
`;

export function addPageStyle() {
    const style = document.createElement('style');
    style.textContent = STYLE;
    document.head.appendChild(style);
}
