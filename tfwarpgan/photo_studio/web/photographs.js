// Photographs in the browser: made small before they are sent, and taken by the camera.
const LONGEST = 1536; // pixels of the longer side that are sent

// A blob upright and small: { address, height, width }.
export async function shrunk(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    throw new Error("This browser cannot read that file as a picture; choose a JPEG or PNG.");
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(length * scale)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { address: canvas.toDataURL("image/jpeg", 0.95), height, width };
}

export class Camera {
  constructor(dialog, video) {
    Object.assign(this, { dialog, video });
    dialog.addEventListener("close", () => this.video.srcObject?.getTracks().forEach((track) => track.stop()));
  }

  async open() {
    try {
      this.video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: LONGEST } } });
    } catch {
      throw new Error("The camera cannot be used; allow it in the browser, or choose a photograph.");
    }
    this.dialog.showModal();
  }

  // What it sees now, as a blob.
  async shoot() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) throw new Error("The camera shows nothing yet; wait a moment.");
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    this.dialog.close();
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
  }
}
