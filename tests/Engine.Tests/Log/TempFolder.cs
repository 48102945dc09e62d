namespace Sketch.Tests.Engine.Log;

/// <summary>A folder that lasts as long as the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "sketch-" + Guid.NewGuid().ToString("n"));

    public static implicit operator string(TempFolder folder) => folder.Path;

    public string[] Segments => [.. Directory.GetFiles(Path, "*.seg").Order(StringComparer.Ordinal)];

    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
