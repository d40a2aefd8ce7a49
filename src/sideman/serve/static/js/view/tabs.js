/**
 * The way between the pages: a token in the address goes along.
 */
for (const link of document.querySelectorAll(".tabs a")) link.search = location.search;
