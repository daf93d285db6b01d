"""Draw the README's picture of the workbook: the Summary sheet of the demo's run, as LibreOffice prints it.

    python -m tests.readme_summary

Needs LibreOffice (libreoffice-calc) and pdftoppm (poppler-utils).
"""

import subprocess
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from scanner.demo import sample
from tests.readme_picture import scanned

SUMMARY = Path(__file__).with_suffix(".png")
DOTS_PER_INCH = 80
PAGE = "2"  # behind the Guide, which is one page


def main() -> None:
    with TemporaryDirectory() as folder, chdir(folder), sample(datetime.now(UTC).date()) as demo:
        workbook = scanned(demo, Path(folder)).folder / "iam-users.xlsx"
        profile = f"-env:UserInstallation=file://{folder}/office"
        subprocess.run(["soffice", profile, "--headless", "--convert-to", "pdf", str(workbook)], check=True)
        page = ["-png", "-r", str(DOTS_PER_INCH), "-f", PAGE, "-l", PAGE, "-singlefile"]
        subprocess.run(["pdftoppm", *page, "iam-users.pdf", str(SUMMARY.with_suffix(""))], check=True)


if __name__ == "__main__":
    main()
