// Posts an empty message every so many milliseconds; the number is what it is sent.
let timer = null;
onmessage = ({ data: everyMs }) => {
  clearInterval(timer);
  timer = setInterval(() => postMessage(null), everyMs);
};
