using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;

namespace Sketch.Tests;

/// <summary>Packs the project that this test project is named after, and looks into the package. Shared by the packages' test projects.</summary>
public sealed class PackageTests
{
    private static readonly string Package = typeof(PackageTests).Assembly.GetName().Name!.Replace(".Tests", "", StringComparison.Ordinal);

    private static DirectoryInfo Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Sketch.sln")))
            folder = folder.Parent;
        return folder;
    }

    private static void Pack(string into)
    {
        string project = Path.Combine(Root().FullName, Package.Split('.')[1]);
        string configuration = AppContext.BaseDirectory.Contains("Release", StringComparison.Ordinal) ? "Release" : "Debug";
        using Process pack = Process.Start(new ProcessStartInfo(
            "dotnet", ["pack", project, "--no-build", "--no-restore", "-c", configuration, "-o", into, "-nodeReuse:false"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = pack.StandardError.ReadToEndAsync();
        string output = pack.StandardOutput.ReadToEnd();
        pack.WaitForExit();
        Assert.True(pack.ExitCode == 0, output + errors.Result);
    }

    [Fact]
    public void The_package_has_its_readme_xml_docs_licence_and_symbols()
    {
        DirectoryInfo into = Directory.CreateTempSubdirectory("sketch-package-");
        try
        {
            Pack(into.FullName);
            using ZipArchive package = ZipFile.OpenRead(into.GetFiles("*.nupkg").Single().FullName);
            using ZipArchive symbols = ZipFile.OpenRead(into.GetFiles("*.snupkg").Single().FullName);
            Assert.Superset(
                new HashSet<string> { "README.md", $"lib/net10.0/{Package}.dll", $"lib/net10.0/{Package}.xml" },
                package.Entries.Select(entry => entry.FullName).ToHashSet());
            Assert.Contains(symbols.Entries, entry => entry.FullName == $"lib/net10.0/{Package}.pdb");

            using Stream nuspec = package.GetEntry($"{Package}.nuspec")!.Open();
            Dictionary<string, string> metadata = XDocument.Load(nuspec).Descendants()
                .Where(element => !element.HasElements)
                .GroupBy(element => element.Name.LocalName)
                .ToDictionary(group => group.Key, group => group.First().Value);
            Assert.Equal(("Apache-2.0", "README.md"), (metadata["license"], metadata["readme"]));
            Assert.All((string[])["description", "tags", "authors", "version"], name => Assert.NotEmpty(metadata[name]));
        }
        finally
        {
            into.Delete(recursive: true);
        }
    }
}
