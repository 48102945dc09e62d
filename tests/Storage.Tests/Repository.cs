namespace Sketch.Tests.Storage;

/// <summary>Where the repository is.</summary>
internal static class Repository
{
    /// <summary>Its root, found from the tests' own folder: what the compiler knows of paths is not theirs in a build for release.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        DirectoryInfo folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Sketch.sln")))
        {
            folder = folder.Parent!;
        }

        return folder.FullName;
    }
}
