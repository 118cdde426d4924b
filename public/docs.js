/* Swagger UI over our own description; nothing is asked of other hosts. */
(() => {
  const place = document.getElementById('docs');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', follow);
  follow();
  window.SwaggerUIBundle({
    url: place.dataset.url,
    domNode: place,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    docExpansion: 'list',
    // Its validator and its settings in the address would let others decide what is loaded.
    validatorUrl: null,
    queryConfigEnabled: false,
    persistAuthorization: false,
  });
})();
